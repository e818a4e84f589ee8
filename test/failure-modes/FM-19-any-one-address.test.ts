/** FM-19, the client's side: whoever knows one live node's address shares and listens through it, and finds the others when it dies. */
import assert from 'node:assert/strict';
import { whoLeads } from '../support/cluster-clients';
import { sharedCluster } from '../support/cluster-processes';
import { logEntries } from '../support/hub-log';
import { until } from '../support/processes';
import { connect, DECISION_FIELDS, mirroredIds, newProject, succeeded, type CliProject } from '../support/projects';

describe('FM-19 one address of a cluster', function () {
  this.timeout(180_000);
  const cluster = sharedCluster(3);

  async function share(project: CliProject, id: string): Promise<void> {
    const add = ['add', 'decision', `Title of ${id}`, ...DECISION_FIELDS, '--id', id, '--share'];
    succeeded(await project.ctx(add));
  }

  it('each node alone takes an entry and streams all; a listener whose node dies goes on at another, without gap or duplicate', async () => {
    const leader = await whoLeads(cluster.nodes);
    const followers = cluster.nodes.filter((node) => node !== leader);
    const [first, second] = followers;
    assert.ok(first !== undefined && second !== undefined);
    // A user who was told of one address: registering, sharing and listening go through it alone.
    const reader = await newProject('reader');
    await connect(reader, first.hub);
    const listener = reader.start(['connection', 'listen']);
    await listener.says(/up to date/, 30_000);
    const shared: string[] = [];
    for (const [at, node] of cluster.nodes.entries()) {
      const writer = await newProject(`writer-${at}`);
      await connect(writer, node.hub);
      await share(writer, `at-${at}`);
      shared.push(`at-${at}`);
    }
    await until('the listener has all', () => mirroredIds(reader).join() === shared.join(), 30_000);

    await first.hub.kill9();
    const late = await newProject('late');
    await connect(late, second.hub);
    await share(late, 'afterwards');
    await until(
      'it goes on at another node',
      () => mirroredIds(reader).join() === [...shared, 'afterwards'].join(),
      60_000,
    );
    // And what it shares itself leaves through that one too.
    await share(reader, 'of-the-reader');
    assert.ok(logEntries(leader.dataDir).some(({ id }) => id === 'of-the-reader'));
    listener.process.kill('SIGTERM');
    assert.equal((await listener.finished).code, 0, listener.stderr());
  });
});
