// Bugs in how a hub keeps what it acknowledged: for each promise of the store (P1 to P8, FM-20 to FM-29, FM-47) at least one.
// The tests run the store itself, over a disk in memory that fails on command.

import { patchesIn } from './patched.mjs';

const store = patchesIn('hub/store/');
const engine = (find, replace) => ({ file: 'hub/engine/file-engine.ts', find, replace });
const state = (find, replace) => ({ file: 'hub/state/hub-state.ts', find, replace });

const CRASHES = ['test/simulation/crash-points.test.ts'];
const MUTATIONS = ['test/simulation/mutations.test.ts'];
const ENGINE = ['test/conformance/engine/file-engine.test.ts'];
const OFFLINE = ['test/simulation/offline-crash-points.test.ts'];
const RUNNING = ['test/unit/hub/store/damage-while-running.test.ts'];
const TABLES = ['test/unit/hub/store/tables.test.ts'];
const AHEAD = ['test/unit/hub/store/verify-ahead.test.ts'];

export const tests = ENGINE;

export const mutants = [
  {
    name: 'P1 acknowledges without fdatasync',
    patches: [
      store(
        'log-file.ts',
        "      await this.file.sync();\n    } catch (error) {\n      throw this.fail('fdatasync failed'",
        "    } catch (error) {\n      throw this.fail('fdatasync failed'",
      ),
    ],
  },
  {
    name: 'P1 acknowledges before the sync is done',
    patches: [
      store(
        'log-file.ts',
        "      await this.file.sync();\n    } catch (error) {\n      throw this.fail('fdatasync failed'",
        "      this.file.sync().catch(() => undefined);\n    } catch (error) {\n      throw this.fail('fdatasync failed'",
      ),
    ],
  },
  {
    name: 'P1 does not sync the folder after a rename',
    patches: [store('whole-file.ts', '    await disk.syncFolder(path.dirname(file));', '    await Promise.resolve();')],
    tests: CRASHES,
  },
  {
    name: 'P1 replaces small files without syncing their bytes',
    patches: [store('whole-file.ts', '      await handle.sync();\n', '')],
    tests: CRASHES,
  },
  {
    name: 'P2 goes on at a sequence that was taken',
    patches: [state('this.nextSequence = draft.head.sequence + 1;', 'this.nextSequence = before.sequence + 1;')],
  },
  {
    name: 'P2 uses the sequence of a refused entry up',
    patches: [
      state(
        "if (error instanceof HubError) return { kind: 'refused', id, error };\n",
        "if (error instanceof HubError) return void this.nextSequence++, { kind: 'refused', id, error };\n",
      ),
    ],
  },
  {
    name: 'P3 forgets ids over a restart',
    patches: [
      store(
        'open-store.ts',
        'found.forEach((parts, i) => ids.addAt(',
        'found.slice(1).forEach((parts, i) => ids.addAt(',
      ),
    ],
  },
  {
    name: 'P3 stores the same id twice in one batch',
    patches: [state('const known = this.fresh.get(id) ?? this.known(id);', 'const known = this.known(id);')],
  },
  {
    name: 'P3 takes every known id for a duplicate',
    patches: [state("if (typeof known.content === 'string') return known.content === entry.content;", 'return true;')],
  },
  {
    name: 'P4 tells listeners of a batch out of order',
    patches: [
      engine(
        'for (const listener of this.listeners) listener(lines);',
        'for (const listener of this.listeners) listener([...lines].reverse());',
      ),
    ],
  },
  {
    name: 'P4 tells listeners of what was not stored',
    patches: [engine('if (lines.length > 0) for (const listener', 'if (lines.length > 1) for (const listener')],
  },
  {
    name: 'P5 commits a plan whose write failed',
    patches: [
      engine(
        '      if (plan.lines.length > 0) lines = await this.store.append(plan.lines);',
        '      plan.commit();\n      plan = { ...plan, commit: () => undefined };\n      if (plan.lines.length > 0) lines = await this.store.append(plan.lines);',
      ),
    ],
  },
  {
    name: 'P5 calls the outcome of a failed fsync refused',
    patches: [
      store(
        'log-file.ts',
        "return new HubError('store_failed', this.fault, { cause, outcome: 'unknown' });",
        "return new HubError('store_failed', this.fault, { cause });",
      ),
    ],
  },
  {
    name: 'P5 leaves commands under way unanswered at a stop',
    patches: [engine('while (this.running !== undefined) await this.running;', 'this.queue = [];')],
  },
  {
    name: 'P6 cuts a torn tail without saving it',
    patches: [store('recover-log.ts', 'await copyRange(file, start, end, saved, 0);', 'await Promise.resolve();')],
    tests: OFFLINE,
  },
  {
    name: 'P6 quarantine drops the bytes',
    patches: [
      store(
        'repair.ts',
        'await copyRange(log, region.offset, region.offset + region.length, out, at + header.length);',
        'await Promise.resolve();',
      ),
    ],
    tests: MUTATIONS,
  },
  {
    name: 'P6 repair does not record the gap',
    patches: [
      store(
        'repair.ts',
        'const gaps = [...moved.flatMap((region) => gapOf(region, now) ?? []), ...atEnd];',
        'const gaps = atEnd;',
      ),
    ],
    tests: MUTATIONS,
  },
  {
    name: 'P7 does not check digests',
    patches: [store('check-line.ts', 'if (!isHash(hash, bytes, parts.hashStart))', 'if (hash === undefined)')],
    tests: MUTATIONS,
  },
  {
    name: 'P7 leaves the content out of the digest',
    patches: [store('check-line.ts', "at += scratch.write(contentHash(bytes, parts), at, 'latin1');", 'at += 0;')],
  },
  {
    name: 'P7 passes over bad lines where a log is verified side by side',
    patches: [
      store(
        'check-stretch.ts',
        "if (parts === undefined || typeof parts === 'string') return undefined;",
        "if (parts === undefined || typeof parts === 'string') { start = end + 1; continue; }",
      ),
    ],
    tests: AHEAD,
  },
  {
    name: 'P7 goes on behind a stretch that is not good',
    patches: [
      store('verify-ahead.ts', 'if (facts === undefined) return false;', 'if (facts === undefined) return true;'),
    ],
    tests: AHEAD,
  },
  {
    name: 'P7 verifies side by side beyond the watermark',
    patches: [store('open-store.ts', 'const to = watermark.length;', 'const to = Infinity;')],
    tests: AHEAD,
  },
  {
    name: 'P7 waits for ever for a thread that died',
    patches: [store('stretch-checkers.ts', "    this.worker.on('exit', this.fail);\n", '')],
    tests: AHEAD,
  },
  {
    name: 'P3 forgets ids when it reads a checkpoint',
    patches: [
      store(
        'id-table.ts',
        'for (let at = from; at < to; at++) {\n      const',
        'for (let at = from + 1; at < to; at++) {\n      const',
      ),
    ],
    tests: TABLES,
  },
  {
    name: 'P7 counts blocks wrongly when it reads a checkpoint',
    patches: [store('line-table.ts', 'if (linesLeft <= 0 || bytesLeft <= 0) {', 'if (linesLeft <= 0) {')],
    tests: TABLES,
  },
  {
    name: 'P7 does not check sequences',
    patches: [store('check-line.ts', 'if (parts.sequence !== expected) return', 'if (parts.sequence < 0) return')],
    tests: MUTATIONS,
  },
  {
    name: 'P7 serves what changed after it was verified',
    patches: [store('log-ranges.ts', 'if (crc32(bytes) === block.crc) return true;', 'return true;')],
    tests: RUNNING,
  },
  {
    name: 'P7 believes the checkpoint and never looks behind it',
    patches: [
      store(
        'verify-behind.ts',
        'for (let number = 0; number < blocks && !this.stopped;) {',
        'for (let number = blocks; number < blocks && !this.stopped;) {',
      ),
    ],
    tests: RUNNING,
  },
  {
    name: 'P7 keeps damage found while running to itself',
    patches: [store('log-ranges.ts', 'this.parts.onDamage(message);', '')],
    tests: RUNNING,
  },
  {
    name: 'P7 believes a checkpoint that was changed',
    patches: [
      store(
        'checkpoint.ts',
        "if (sha256Hex(body) !== Buffer.from(bytes.subarray(0, HASH_CHARS)).toString('latin1')) return undefined;\n",
        '',
      ),
    ],
    tests: MUTATIONS,
  },
  {
    name: 'P7 takes a line that follows a gap on trust, for ever',
    patches: [
      store(
        'check-line.ts',
        '} else if (sha256Hex(bytes.subarray(start, end)) !== anchor) {',
        '} else if (anchor === undefined) {',
      ),
    ],
    tests: MUTATIONS,
  },
  {
    name: 'P8/FM-20 leaves half a line behind when the disk is full',
    patches: [store('log-file.ts', '      await this.rollBack(error);\n', '')],
  },
  {
    name: 'P8/FM-20 does not sync the roll-back before it refuses',
    patches: [
      store(
        'log-file.ts',
        '      await this.file.truncate(this.end);\n      await this.file.sync();',
        '      await this.file.truncate(this.end);',
      ),
    ],
    tests: CRASHES,
  },
  {
    name: 'P8/FM-20 needs a restart after the disk was full',
    patches: [
      store(
        'log-file.ts',
        '      await this.rollBack(error);\n',
        "      await this.rollBack(error);\n      this.fault = 'restart';\n",
      ),
    ],
  },
  {
    name: 'P8/FM-20 believes that a short write was a whole one',
    patches: [store('whole-file.ts', '    done += written;', '    done = bytes.length;')],
    tests: CRASHES,
  },
  {
    name: 'FM-21 tries a failed fsync again',
    patches: [
      store(
        'log-file.ts',
        "      throw this.fail('fdatasync failed', error);",
        "      await this.file.sync().catch((again: unknown) => {\n        throw this.fail('fdatasync failed', again ?? error);\n      });",
      ),
    ],
  },
  {
    name: 'FM-21 writes on after a failed fsync',
    patches: [
      store(
        'log-file.ts',
        "on disk.\n    if (this.fault !== undefined) throw new HubError('store_failed', this.fault, { outcome: 'unknown' });",
        'on disk.',
      ),
    ],
  },
  {
    name: 'FM-21 does not write the tail again after a crash',
    patches: [
      store(
        'recover-log.ts',
        '    await writeFully(file, bytes, at);\n    at += bytes.length;\n',
        '    at += bytes.length;\n',
      ),
    ],
    tests: CRASHES,
  },
  {
    name: 'FM-22 refuses to start on a torn tail',
    patches: [
      store(
        'recover-log.ts',
        "if (state.kind === 'torn') await cutTail(options, file, found, state.bad);",
        "if (state.kind === 'torn') refuseDamaged(options.files, state.bad);",
      ),
    ],
    tests: CRASHES,
  },
  {
    name: 'FM-22 cuts below the watermark',
    patches: [store('examine-log.ts', 'closed ? Infinity : watermark.length;', '0;')],
    tests: MUTATIONS,
  },
  {
    name: 'FM-23 cuts at the first bad line whatever follows it',
    patches: [store('examine-log.ts', 'this.overtaken = true;', 'this.overtaken = false;')],
    tests: MUTATIONS,
  },
  {
    name: 'FM-26 does not look at the watermark',
    patches: [store('examine-log.ts', '    if (!this.markSeen) {', '    if (fileBytes < 0) {')],
    tests: MUTATIONS,
  },
  {
    name: 'FM-26 takes a log that is too short for a crash',
    patches: [store('examine-log.ts', '    if (cutShort) {', '    if (fileBytes < 0) {')],
    tests: MUTATIONS,
  },
  {
    name: 'FM-26 takes every crash for a mismatch',
    patches: [
      store(
        'store.ts',
        'if (this.meta.closed && this.failure === undefined) await',
        'if (this.meta.closed && this.failure !== undefined) await',
      ),
    ],
    tests: CRASHES,
  },
  {
    name: 'FM-26 does not compare hub.id with meta.json',
    patches: [store('open-store.ts', 'if (hubId !== meta.hub_id) {', 'if (hubId.length === 0) {')],
    tests: MUTATIONS,
  },
  {
    name: 'FM-25 repair takes the log away before its bytes are safe',
    patches: [store('repair.ts', '    await out.sync();\n  } catch (error) {', '  } catch (error) {')],
    tests: OFFLINE,
  },
  {
    name: 'FM-25 repair renames a copy that is not on disk',
    patches: [
      store(
        'repair.ts',
        '    from = region.offset + region.length;\n  }\n  await out.sync();',
        '    from = region.offset + region.length;\n  }',
      ),
    ],
    tests: OFFLINE,
  },
  {
    name: 'FM-25 leaves lines too many after a clean stop where they are',
    patches: [store('repair.ts', '(!meta.closed && region.offset', '(region.offset')],
    tests: MUTATIONS,
  },
  {
    name: 'FM-29 a backup is complete before its log is',
    patches: [store('backup.ts', '      await copy.sync();\n', '')],
    tests: OFFLINE,
  },
  {
    name: 'FM-29 leaves half a backup behind',
    patches: [store('backup.ts', '    await removeHalf(disk, to);\n', '')],
    tests: OFFLINE,
  },
  {
    name: 'FM-47 does not tell that clients.json was edited',
    patches: [store('clients-file.ts', '  warn(`${files.clients} ${what}${told}.`);', '  void [what, told];')],
    tests: MUTATIONS,
  },
  {
    name: 'FM-29 a finished backup is gone after a power cut',
    patches: [store('backup.ts', '    await disk.syncFolder(parent);\n', '')],
    tests: OFFLINE,
  },
  {
    name: 'P7 does not look at the last lines before it believes the checkpoint',
    patches: [store('open-store.ts', '    if (crc32(bytes) !== last.crc) return false;\n', '')],
    tests: RUNNING,
  },
  {
    name: 'FM-26 does not tell that meta.json was changed',
    patches: [store('open-store.ts', 'if (edited) warn(', 'if (!edited) warn(')],
    tests: MUTATIONS,
  },
];
