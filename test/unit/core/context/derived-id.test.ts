import assert from 'node:assert/strict';
import { derivedId, isDerivedId } from '../../../../core/context/derived-id';
import { headingOf } from '../../../../core/context/parse';
import { isEntryId } from '../../../../core/entry';
import { sha256 } from '../../../support/sha256';

const id = (project: string, type: 'decision' | 'task', heading: string): string =>
  derivedId(project, type, heading, sha256);

describe('derivedId', () => {
  it('is what it was when it was first published: a changed scheme would double every shared entry', () => {
    const heading = headingOf({ title: 'Store timestamps in UTC', date: '2026-01-31-093000' });
    assert.equal(heading, '[2026-01-31-093000] Store timestamps in UTC');
    assert.equal(id('shop', 'decision', heading), 'h1-ca34e9a911eba781aefc82542052bb54');
  });

  it('hangs on project, type and heading, each', () => {
    const all = [id('a', 'task', 'x'), id('b', 'task', 'x'), id('a', 'decision', 'x'), id('a', 'task', 'y')];
    assert.equal(new Set(all).size, 4);
    for (const each of all) assert.ok(isEntryId(each) && isDerivedId(each));
  });

  it('is the same however the file system or editor composes letters', () => {
    assert.equal(id('a', 'task', 'Ärger'), id('a', 'task', 'A\u0308rger'));
  });
});
