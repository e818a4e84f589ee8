// Bugs in how nodes become and stay a cluster, seen by its tests: real processes, and three nodes in one.

import { patchesIn } from './patched.mjs';

const patch = patchesIn('hub/');
const corePatch = patchesIn('core/');

export const products = true;

export const tests = ['test/cluster'];

const unit = (name) => [`test/unit/hub/engine/raft/${name}.test.ts`];
const shown = ['test/cluster/failure-modes.test.ts'];
const peers = ['test/security/S03-S04-peers.test.ts'];
const members = ['test/cluster/membership.test.ts'];
const three = ['test/cluster/three-nodes.test.ts'];
const most = ['test/cluster/most-nodes.test.ts'];
const first = ['test/cluster/first-start.test.ts'];
const joined = ['test/cluster/just-joined.test.ts'];
const data = ['test/cluster/node-data.test.ts'];
const voter = ['test/cluster/lost-voter.test.ts'];
const lost = ['test/cluster/lost-majority.test.ts'];
const discards = ['test/cluster/discards.test.ts'];
const access = ['test/cluster/access.test.ts'];
const proxies = ['test/cluster/through-proxies.test.ts'];

/** Once the cluster has worked for a while. */
const leaderIsNeverReplaced = [
  patch(
    'engine/raft/replica.ts',
    'this.act((core) => core.tick());',
    "if (this.appliedIndex < 8 || this.roleNow === 'leader') this.act((core) => core.tick());",
  ),
  patch('engine/raft/replica.ts', 'stand: () => this.act((core) => core.campaign()),', 'stand: () => undefined,'),
];

export const mutants = [
  {
    name: 'FM-32 discards before what is discarded was kept',
    patches: [
      patch(
        'engine/raft/replica.ts',
        'await this.room.until(() => this.parts.discard(gone));',
        'void this.parts.discard(gone);',
      ),
    ],
    tests: unit('replica-discard'),
  },
  {
    name: 'FM-32 keeps nothing of what a snapshot replaces',
    patches: [
      patch(
        'engine/raft/unapplied-tail.ts',
        'snapshot === undefined ? (entries[0]?.index ?? Infinity) : 0',
        'entries[0]?.index ?? Infinity',
      ),
    ],
    tests: unit('replica-discard'),
  },
  {
    name: 'FM-32 a full disk at the verdict ends the node',
    patches: [patch('engine/raft/discarded.ts', " || error.code !== 'disk_full'", ' || error.message !== ""')],
    tests: discards,
  },
  {
    name: 'FM-32 what is discarded is not fsynced before it goes',
    patches: [corePatch('node/plain-file.ts', '    await handle.datasync();\n', '')],
    tests: discards,
    grep: 'fsync',
  },
  {
    name: 'FM-32 glues what is kept to half a line of before',
    patches: [corePatch('node/append-file.ts', 'await lengthOfWholeLines(handle, size)', 'size')],
    tests: unit('discarded'),
  },
  {
    name: 'FM-32 a verdict takes along what was kept meanwhile',
    patches: [patch('engine/raft/discarded.ts', 'isCaughtUp && this.kept === kept', 'isCaughtUp && this.kept >= kept')],
    tests: unit('discarded'),
  },
  {
    name: 'FM-32 judges before this node has caught up',
    patches: [patch('engine/raft/discarded.ts', 'isCaughtUp && this.kept === kept', 'this.kept === kept')],
    tests: unit('discarded'),
  },
  {
    name: 'a full disk keeps a stop waiting for ever',
    patches: [patch('engine/raft/disk-room.ts', 'if (this.stopping) throw error;', '')],
    tests: unit('disk-room'),
  },
  {
    name: 'S21 gives whoever has proved nothing as much room as a peer',
    patches: [patch('peers/proof-room.ts', 'if (bytes <= MAX_PROOF_BYTES) return;', 'if (bytes >= 0) return;')],
    tests: peers,
  },
  {
    name: 'S04 takes in what a leader sends as it comes',
    patches: [
      patch(
        'engine/raft/arrivals.ts',
        "if (message.kind !== 'append' && message.kind !== 'snapshot') return true;",
        'if (from > 0) return true;',
      ),
    ],
    tests: peers,
  },
  {
    name: 'S04 an origin from another node may break a line',
    patches: [patch('engine/raft/command-batch.ts', '  origin: stampSchema,', '  origin: z.string(),')],
    tests: unit('arrivals'),
  },
  {
    name: 'S03 the proof does not cover the certificate',
    patches: [patch('peers/proof.ts', '    address,\n    certificate,\n', '    address,\n')],
    tests: peers,
  },
  {
    name: 'S03 a proof may be used again',
    patches: [patch('peers/proof.ts', '    dialNonce,\n    acceptNonce,\n', '    dialNonce,\n')],
    tests: peers,
  },
  {
    name: 'S03 the accepting side’s proof is taken for the dialling side’s',
    patches: [patch('peers/proof.ts', '    PEER_SUBPROTOCOL,\n    side,\n', '    PEER_SUBPROTOCOL,\n')],
    tests: peers,
  },
  {
    name: 'S42 nodes of another cluster are let in',
    patches: [
      patch(
        'engine/raft/contacts.ts',
        'if (peer.cluster !== cluster) return `this node belongs to another cluster (${cluster})`;',
        '',
      ),
    ],
    tests: peers,
  },
  {
    name: 'FM-13 a node without a leader trusts every token for ever',
    patches: [
      patch(
        'engine/raft/open.ts',
        'if (this.replica.leaderlessMs <= maxAuthAgeMs) return undefined;',
        'if (maxAuthAgeMs > 0) return undefined;',
      ),
    ],
    tests: shown,
  },
  {
    name: 'FM-20 a leader that cannot write stays leader',
    patches: [
      patch(
        'engine/raft/open.ts',
        "this.replica.role === 'leader' && this.replica.writeFault !== undefined",
        'false as boolean',
      ),
    ],
    tests: shown,
  },
  {
    name: 'FM-30 a stopping node names no other',
    patches: [
      patch('server/session.ts', 'const addresses = this.context.elsewhere();', 'const addresses: string[] = [];'),
    ],
    tests: shown,
  },
  {
    name: 'FM-47 takes an edited clients.json in a cluster too',
    patches: [
      patch('store/clients-file.ts', 'if (options.refuseEdits === true) {', 'if (options.refuseEdits === null) {'),
    ],
    tests: shown,
  },
  {
    name: 'FM-61 asks nobody but itself',
    patches: [
      patch(
        'engine/raft/cluster-admin.ts',
        'this.parts.members().map((member) =>',
        'this.parts.members().filter(({ id }) => id === this.parts.self().node).map((member) =>',
      ),
    ],
    tests: shown,
  },
  {
    name: 'FM-65 does not say what holds a follower back',
    patches: [patch('cluster-control.ts', 'if (lag < LAG_NOTED) return undefined;', 'if (lag >= 0) return undefined;')],
    tests: ['test/unit/hub/peer-row.test.ts'],
  },
  {
    name: 'FM-19 a follower does not pass on what it is given',
    patches: [
      patch(
        'engine/raft/raft-engine.ts',
        'if (leader === 0 || leader === nodeId || !isConnected(leader)) return this.again();',
        'if (leader >= 0) return this.again();',
      ),
    ],
    tests: three,
  },
  {
    name: 'FM-36 sessions at other nodes outlive a revocation',
    patches: [
      patch(
        'engine/raft/state-machine.ts',
        '      this.parts.onClients();\n    }\n    if (lines.length > 0)',
        '    }\n    if (lines.length > 0)',
      ),
    ],
    tests: three,
  },
  {
    name: 'FM-35 a wiped node is taken for the one it was',
    patches: [
      patch('engine/raft/cluster-admin.ts', 'if (had !== undefined) {', 'if (had?.address === "") {'),
      patch(
        'engine/raft/contacts.ts',
        'known === undefined || known.uid === peer.uid ?',
        'known === undefined || peer.uid !== "" ?',
      ),
    ],
    tests: members,
  },
  {
    name: 'two that are added at once pass the limit of nodes',
    patches: [
      patch(
        'engine/raft/cluster-admin.ts',
        '    this.requireRoom();\n    const member: Member',
        '    const member: Member',
      ),
    ],
    tests: most,
  },
  {
    name: 'two that are added at once get one number',
    patches: [
      patch(
        'engine/raft/cluster-admin.ts',
        'const { replica } = this.parts;\n    while',
        'const { replica } = this.parts;\n    const first = next();\n    while',
      ),
      patch('engine/raft/cluster-admin.ts', 'replica.proposeChange(next())', 'replica.proposeChange(first)'),
    ],
    tests: most,
  },
  {
    name: 'a node that waits for others cannot be asked',
    patches: [patch('engine/raft/join.ts', 'answer: forming?.answer,', 'answer: undefined,')],
    tests: first,
  },
  {
    name: 'a node that waits for others is not ended by a stop',
    patches: [patch('lifecycle.ts', 'AbortSignal.any([options.signal, run.stop.signal])', 'options.signal')],
    tests: first,
  },
  {
    name: 'FM-16 says of a survivor what its watermark says',
    patches: [patch('engine/raft/reach.ts', 'behind?.sequence ?? marked', 'marked')],
    tests: lost,
  },
  {
    name: 'FM-61 shows nobody before the first snapshot has come',
    patches: [
      patch(
        'engine/raft/open.ts',
        'members: () => this.contacts.all(),\n      info',
        'members: () => this.machine.now.members,\n      info',
      ),
    ],
    tests: joined,
  },
  {
    name: 'FM-61 says of a node that is about to join that it lost its data',
    patches: [
      patch('engine/raft/cluster-admin.ts', "told.uid === uid ? 'it is about", "told.uid === '' ? 'it is about"),
    ],
    tests: joined,
  },
  {
    name: 'a task that comes as the last one ends is forgotten',
    patches: [
      patch(
        'engine/raft/replica.ts',
        '    this.working = undefined;\n',
        '    await undefined;\n    this.working = undefined;\n',
      ),
    ],
    tests: unit('replica-apply'),
  },
  {
    name: 'every refused dial is logged',
    patches: [patch('peers/refusals.ts', 'now - before.at < SAY_AGAIN_MS', 'now < before.at')],
    tests: ['test/unit/hub/peers/peer-link.test.ts'],
  },
  {
    name: 'refusals of ever more addresses are kept',
    patches: [patch('peers/refusals.ts', 'this.said.size < MAX_KEPT) return true;', 'why !== "") return true;')],
    tests: ['test/unit/hub/peers/refusals.test.ts'],
  },
  {
    name: 'a link names the reason of before',
    patches: [patch('peers/peer-link.ts', '    this.ws = ws;\n    this.reason = undefined;\n', '    this.ws = ws;\n')],
    tests: ['test/unit/hub/peers/peer-link.test.ts'],
  },
  {
    name: 'is silent about a node that nobody can reach',
    patches: [patch('commands/start.ts', '      warnUnreachable(config, context);\n', '')],
    tests: first,
  },
  {
    name: 'ends with a stack where node.json is damaged',
    patches: [patch('engine/raft/node-file.ts', "throw damaged(file, 'it is no JSON', error);", 'throw error;')],
    tests: first,
  },
  {
    name: 'a backup says how far the Raft log of its cluster was applied',
    patches: [patch('store/backup.ts', ' raft: undefined,', '')],
    tests: data,
    grep: 'says nothing of a Raft log',
  },
  {
    name: 'a backup says at which entry of its cluster its clients were written',
    patches: [patch('store/backup.ts', 'withoutAppliedIndex(from.clients, clients)', 'clients')],
    tests: data,
    grep: 'says nothing of a Raft log',
  },
  {
    name: 'a founding goes on counting where another cluster was',
    patches: [patch('engine/raft/join.ts', '    await store.forgetRaftLog();\n', '')],
    tests: data,
    grep: 'left nothing out$',
  },
  {
    name: 'a single hub keeps what its backup says of a Raft log',
    patches: [patch('engine/file.ts', '  await store.forgetRaftLog();\n', '')],
    tests: data,
    grep: 'as a single hub keeps nothing',
  },
  {
    name: 'FM-23 a node without raft/ is taken for a single hub',
    patches: [
      patch(
        'engine/raft/lost-node.ts',
        'if (node === undefined) return refuseLostNode(disk, folder);',
        'if (!node) return;',
      ),
    ],
    tests: data,
    grep: 'without raft/: ',
  },
  {
    name: 'FM-23 a node without raft/ begins anew',
    patches: [patch('engine/raft/join.ts', '  if (found === undefined) await refuseLostNode(disk, folder);\n', '')],
    tests: data,
    grep: 'without raft/: ',
  },
  {
    name: 'FM-23 a node without node.json makes itself another',
    patches: [
      patch(
        'engine/raft/node-file.ts',
        'if ((await disk.facts(log)) === undefined) return undefined;',
        'if (log !== "") return undefined;',
      ),
    ],
    tests: data,
    grep: 'without raft/node.json',
  },
  {
    name: 'FM-23 a node without a Raft log makes itself another',
    patches: [patch('engine/raft/open-data.ts', ', gone: goneLog(folder, mark)', '')],
    tests: data,
    grep: 'without raft/log',
  },
  {
    name: 'FM-23 an empty Raft log is made anew',
    patches: [
      patch(
        'raft-log/raft-log.ts',
        'if (last === undefined) {\n      if (gone !== undefined) throw gone();',
        'if (last === undefined) {',
      ),
    ],
    tests: data,
    grep: 'without raft/log',
  },
  {
    name: 'FM-23 a node that does not know what it applied begins at nothing',
    patches: [
      patch(
        'engine/raft/open-data.ts',
        'mark === undefined && raft.recovered.base.index > 0',
        'raft.recovered.base.index < 0',
      ),
    ],
    tests: data,
    grep: 'without meta.json',
  },
  {
    name: 'a repair makes another history of the log of a node',
    patches: [
      patch('commands/repair.ts', '      if (!dryRun) await refuseNode(nodeDisk, dataDir, REPLACE_NODE);\n', ''),
    ],
    tests: data,
    grep: 'is not repaired',
  },
  {
    name: 'an import makes another history of the log of a stopped node',
    patches: [patch('commands/import.ts', 'await refuseNode(', 'if (dataDir === "") await refuseNode(')],
    tests: data,
    grep: 'is not imported',
  },
  {
    name: 'a single hub that is refused as a node is half a node after that',
    patches: [
      patch(
        'engine/raft/join.ts',
        'if (config.peers.length > 1) throw usedAlready(folder, advertise);',
        'if (config.peers.length > 1) { await writeNodeFile(disk, folder, newNodeFile(advertise)); throw usedAlready(folder, advertise); }',
      ),
    ],
    tests: data,
    grep: 'holds the log of a single hub',
  },
  {
    name: 'a node that never joined a cluster is no single hub any more',
    patches: [patch('engine/raft/lost-node.ts', 'if (node.joined === undefined) return;', '')],
    tests: data,
    grep: 'waited for others in vain',
  },
  {
    name: 'a founding that was cut short is taken for a hub that is in use',
    patches: [
      patch(
        'engine/raft/join.ts',
        "  if (found.kind !== 'meta') return found.kind === 'missing';\n",
        "  if (found.kind === 'meta' && found.meta.hub_id !== '') return false;\n  if (found.kind !== 'meta') return found.kind === 'missing';\n",
      ),
    ],
    tests: unit('founding'),
  },
  {
    name: 'a founding that was cut short leaves its mark to a node that others take in',
    patches: [
      patch('engine/raft/join.ts', '  await removeIfThere(disk, files.meta);\n', ''),
      patch('engine/raft/join.ts', '    await store.forgetRaftLog();\n', ''),
    ],
    tests: unit('founding'),
  },
  {
    name: 'a founding that was cut short leaves half a Raft log',
    patches: [patch('engine/raft/join.ts', '    await dropOldLog(disk, folder);\n', '')],
    tests: unit('founding'),
  },
  {
    name: 'a node belongs to a cluster before it has founded it',
    patches: [
      patch(
        'engine/raft/join.ts',
        '    await dropOldLog(disk, folder);\n',
        '    await writeNodeFile(disk, folder, { ...node, joined: { cluster, node: formation.node, contacts: [...members] } });\n    await dropOldLog(disk, folder);\n',
      ),
    ],
    tests: ['test/simulation/founding-crash-points.test.ts'],
  },
  {
    name: 'FM-23 what a leader found lost is forgotten with that leader',
    patches: [
      patch(
        'engine/raft/lost-node.ts',
        'if (node !== undefined) await writeNodeFile(disk, folder, { ...node, lost });',
        '',
      ),
    ],
    tests: voter,
  },
  {
    name: 'FM-23 a node votes although a leader found that it lost what it promised',
    patches: [patch('engine/raft/join.ts', '  if (found?.lost !== undefined) throw lostPromise(found.lost);\n', '')],
    tests: voter,
  },
  {
    name: 'FM-36 an older clients.json lets in again who was revoked',
    patches: [patch('engine/raft/open-data.ts', '      requireVersion(store, clients);\n', '')],
    tests: data,
    grep: 'without clients.json',
  },
  {
    name: 'FM-36 the watermark does not say which clients it is of',
    patches: [
      patch(
        'engine/raft/state-machine.ts',
        'this.parts.state.clients.version',
        'this.parts.cluster.nextId - this.parts.cluster.nextId',
      ),
    ],
    tests: data,
    grep: 'without clients.json',
  },
  {
    name: 'FM-33 what was discarded is not noted as rejected',
    patches: [patch('engine/raft/discarded.ts', 'if (rejected.length > 0) {', 'if (rejected.length > 1e9) {')],
    tests: lost,
  },
  {
    name: 'a command goes out although a node is too old for it',
    patches: [
      patch(
        'engine/raft/raft-engine.ts',
        'commandSince(command) <= speaks',
        'commandSince(command) <= Math.max(2, speaks)',
      ),
    ],
    tests: ['test/conformance/engine/raft-cluster.test.ts'],
  },
  {
    name: 'FM-34 a removed node is taken in under a new number with its old data',
    patches: [patch('engine/raft/cluster-admin.ts', 'info.node < machine.now.nextId', 'info.node < 0')],
    tests: members,
  },
  {
    name: 'FM-61 a node that nobody reaches does not say whom it misses',
    patches: [patch('engine/raft/contacts.ts', "if (all.length === 0) return '';", "return '';")],
    tests: members,
  },
  {
    name: 'FM-30 a leader that is stopped hands over to nobody',
    patches: [patch('running-hub.ts', '    await this.given.parts.engine.handOver?.();\n', '')],
    tests: shown,
    grep: 'hands over while it still votes',
  },
  {
    name: 'FM-12 a client goes to one address only',
    patches: [
      corePatch(
        'node/open-any.ts',
        'return [...new Set([connection.hub_addr, ...(connection.peers ?? [])])];',
        'return [connection.hub_addr];',
      ),
    ],
    tests: shown,
    grep: 'kill -9 of the leader',
  },
  {
    name: 'FM-15 a connection that broke is not dialled again',
    patches: [
      patch(
        'peers/peer-link.ts',
        'if (this.closing) return;\n    this.retry',
        "if (this.closing || this.reason === 'it fell silent') return;\n    this.retry",
      ),
    ],
    tests: shown,
    grep: 'FM-15',
  },
  {
    name: 'FM-52 the time of elections is that of the wall clock',
    patches: [
      patch(
        'engine/raft/replica.ts',
        'this.act((core) => core.tick());',
        `const due = Math.max(1, Math.min(100, (Date.now() - (this.wall ?? Date.now())) / TICK_MS));
         this.wall = Date.now();
         for (let n = 0; n < due; n++) this.act((core) => core.tick());`,
      ),
    ],
    tests: shown,
    grep: 'FM-52',
  },
  {
    name: 'FM-44 what was granted while a node was away is not on its disk',
    patches: [
      patch('engine/raft/state-machine.ts', 'if (plan.clients !== undefined && isNews) await', 'if (index < 0) await'),
    ],
    tests: access,
    grep: 'was away',
  },
  {
    name: 'a first start that is called off leaves its process behind',
    patches: [
      patch(
        'daemon.ts',
        'const callOff = (): void => void child.kill();',
        'const callOff = (): void => process.exit(69);',
      ),
    ],
    tests: first,
    grep: 'called off',
  },
  {
    name: 'a node does not count itself among seven',
    patches: [
      patch(
        'cluster-config.ts',
        ' && own !== undefined && !addresses.includes(own)) addresses',
        ' && own === "") addresses',
      ),
    ],
    tests: first,
    grep: 'more than seven',
  },
  {
    name: 'the first start says nothing of those it waits for',
    patches: [patch('engine/raft/formation.ts', 'if (text !== said) say(text);', '')],
    tests: first,
    grep: 'as a daemon says',
  },
  {
    name: 'a node runs without the TLS that its cluster knows it by',
    patches: [
      patch(
        'engine/raft/join.ts',
        'if (isSecure === (certificate() !== undefined)) return;',
        "if (address !== '') return;",
      ),
    ],
    tests: first,
  },
  {
    name: 'FM-16 a survivor drops what it had not applied',
    patches: [patch('engine/raft/recover.ts', 'await machine.apply(entry);', 'await Promise.all([machine, entry]);')],
    tests: lost,
    grep: 'survivor',
  },
  {
    name: 'FM-34 a single hub is not let grow',
    patches: [patch('engine/raft/join.ts', 'if (config.peers.length > 1) throw', 'if (config.peers.length > 0) throw')],
    tests: members,
  },
  {
    name: 'a cluster secret may be short',
    patches: [
      patch(
        'cluster-config.ts',
        'if (secret.length >= MIN_SECRET_CHARACTERS) return secret;',
        'if (secret !== undefined) return secret;',
      ),
    ],
    tests: members,
  },
  {
    name: 'FM-34 newcomers never vote',
    patches: [patch('engine/raft/cluster-admin.ts', 'if (ready === undefined) return;', 'if (ready !== 0) return;')],
    tests: members,
  },
  {
    name: 'FM-61 the table says nothing of a node that is well',
    patches: [patch('commands/peer.ts', "(each.why ?? 'ok')", "(each.why ?? '')")],
    tests: members,
  },
  {
    name: 'peer add does not say why nobody answers',
    patches: [patch('engine/raft/cluster-admin.ts', "${link.trouble ?? 'it fell silent'}", 'it fell silent')],
    tests: members,
  },
  {
    name: 'stepdown names the leader of before',
    patches: [
      patch(
        'engine/raft/cluster-admin.ts',
        'return `Node ${replica.leader} (',
        'return `Node ${this.parts.self().node} (',
      ),
    ],
    tests: members,
  },
  {
    name: 'FM-30 a leader that is removed hands over to nobody',
    patches: [
      patch(
        'engine/raft/cluster-admin.ts',
        '      await this.handOver();\n      return undefined;',
        '      return undefined;',
      ),
    ],
    tests: members,
  },
  {
    name: 'FM-16 without a majority no way out is named',
    patches: [patch('engine/raft/cluster-admin.ts', 'what is left and run: ctx hub recover --force', 'what is left')],
    tests: members,
  },
  {
    name: 'FM-12 hello names this node alone',
    patches: [
      patch(
        'engine/raft/open.ts',
        'addresses: () => this.contacts.all().map(({ address }) => address),',
        'addresses: () => [this.node.address],',
      ),
    ],
    tests: three,
    grep: 'says in hello',
  },
  {
    name: 'FM-31 a leader that was killed is never replaced',
    patches: leaderIsNeverReplaced,
    tests: three,
    grep: 'kill -9',
  },
  ...['the leader is isolated', 'nothing arrives that the leader sends', 'kill -9 of the leader'].map((title) => ({
    name: `FM-31 a lost leader is never replaced: ${title}`,
    patches: leaderIsNeverReplaced,
    tests: proxies,
    grep: title,
  })),
  {
    name: 'FM-23 a node is sent to repair, which is not for it',
    patches: [patch('engine/raft/open.ts', 'throw withoutRepair(error);', 'throw error;')],
    tests: data,
    grep: 'is not repaired',
  },
  {
    name: 'FM-31 what went down with a leader is called done',
    patches: [
      patch(
        'engine/raft/raft-engine.ts',
        '      this.queue.putBack(batch);\n      this.again();\n    } finally {',
        '      for (const { command, resolve } of batch) resolve(command.kind === "register" ? { kind: "registered", record: command.record } : { kind: "revoked" } as never);\n    } finally {',
      ),
    ],
    tests: unit('raft-engine'),
  },
  {
    name: 'a node at the address of another is taken for a wiped one',
    patches: [patch('peers/peers.ts', 'cluster === self().cluster && node !== member.id', 'false')],
    tests: three,
    grep: 'which node answers',
  },
];
