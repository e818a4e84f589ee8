/** The manifest and the code know the same commands, views, settings and context keys. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import * as z from 'zod';
import {
  COMMAND_IDS,
  CONTEXT_KEYS,
  FEED_STATES,
  FEED_VIEW,
  RESTRICTED_SETTINGS,
  SETTING_DEFAULTS,
  commandName,
} from '../../../extension/names';

const menuItem = z.looseObject({
  command: z.string().optional(),
  submenu: z.string().optional(),
  when: z.string().optional(),
});
const setting = z.looseObject({ default: z.unknown(), scope: z.string() });
const manifestSchema = z.looseObject({
  icon: z.string(),
  extensionKind: z.array(z.string()),
  activationEvents: z.array(z.string()),
  capabilities: z.looseObject({
    untrustedWorkspaces: z.looseObject({ supported: z.string(), restrictedConfigurations: z.array(z.string()) }),
  }),
  contributes: z.looseObject({
    commands: z.array(z.looseObject({ command: z.string(), title: z.string(), category: z.string() })),
    submenus: z.array(z.looseObject({ id: z.string() })),
    menus: z.record(z.string(), z.array(menuItem)),
    views: z.record(z.string(), z.array(z.looseObject({ id: z.string() }))),
    viewsContainers: z.looseObject({ activitybar: z.array(z.looseObject({ id: z.string(), icon: z.string() })) }),
    viewsWelcome: z.array(z.looseObject({ view: z.string(), when: z.string(), contents: z.string() })),
    configuration: z.array(z.looseObject({ title: z.string(), properties: z.record(z.string(), setting) })),
  }),
});

const text = fs.readFileSync('package.json', 'utf8');
const manifest = manifestSchema.parse(JSON.parse(text));
const { contributes } = manifest;
const known = COMMAND_IDS.map(commandName);
const sorted = (values: readonly string[]): string[] => [...values].sort();

describe('manifest and code', () => {
  it('contribute and implement the same commands', () => {
    assert.deepEqual(sorted(contributes.commands.map((each) => each.command)), sorted(known));
  });

  it('menus and welcome texts name only commands that exist', () => {
    const inMenus = Object.values(contributes.menus).flatMap((items) => items.flatMap((item) => item.command ?? []));
    const inTexts = contributes.viewsWelcome.flatMap(({ contents }) =>
      [...contents.matchAll(/\(command:(ctxHub\.[\w.]+)\)/g)].map((match) => match[1] ?? ''),
    );
    assert.deepEqual(sorted([...inMenus, ...inTexts].filter((name) => !known.includes(name))), []);
  });

  it('submenus that are shown are declared', () => {
    const declared = contributes.submenus.map((each) => each.id);
    const shown = Object.values(contributes.menus).flatMap((items) => items.flatMap((item) => item.submenu ?? []));
    assert.deepEqual(sorted([...new Set(shown)]), sorted(declared));
  });

  it('commands of rows in the feed are hidden from the palette', () => {
    const hidden = (contributes.menus['commandPalette'] ?? []).filter((each) => each.when === 'false');
    const names = hidden.map((each) => each.command);
    const ofRows = known.filter((name) => name.startsWith('ctxHub.feed.'));
    assert.deepEqual(
      ofRows.filter((name) => !names.includes(name)),
      [],
    );
  });

  it('contribute and implement the same views', () => {
    assert.deepEqual(
      Object.keys(contributes.views),
      contributes.viewsContainers.activitybar.map((each) => each.id),
    );
    assert.deepEqual(
      Object.values(contributes.views).flatMap((views) => views.map((view) => view.id)),
      [FEED_VIEW],
    );
  });

  it('the empty feed has a text for each state', () => {
    const states = contributes.viewsWelcome.map(({ view, when }) => {
      assert.equal(view, FEED_VIEW);
      const [first = '', ...more] = when.split(' && ');
      for (const each of more) assert.ok(Object.values<string>(CONTEXT_KEYS).includes(each.replace(/^!/, '')), each);
      return /^ctxHub\.feedState == '(\w+)'$/.exec(first)?.[1] ?? when;
    });
    assert.deepEqual(sorted([...new Set(states)]), sorted(FEED_STATES));
  });

  it('declare and read the same settings with the same defaults', () => {
    const declared = Object.assign({}, ...contributes.configuration.map((group) => group.properties)) as Record<
      string,
      z.infer<typeof setting>
    >;
    const defaults = Object.fromEntries(Object.entries(declared).map(([name, { default: value }]) => [name, value]));
    assert.deepEqual(defaults, { ...SETTING_DEFAULTS });
  });

  it('settings that say where data goes or what runs are machine-scoped and restricted', () => {
    const { untrustedWorkspaces } = manifest.capabilities;
    assert.equal(untrustedWorkspaces.supported, 'limited');
    assert.deepEqual(sorted(untrustedWorkspaces.restrictedConfigurations), sorted(RESTRICTED_SETTINGS));
    for (const group of contributes.configuration) {
      for (const [name, { scope }] of Object.entries(group.properties)) {
        const restricted = RESTRICTED_SETTINGS.some((each) => each === name);
        assert.equal(scope === 'machine', restricted, name);
      }
    }
  });

  it('conditions name only context keys that the code sets', () => {
    const conditions = [...text.matchAll(/"(?:when|enablement)": "([^"]*)"/g)].map((match) => match[1] ?? '');
    const used = new Set(conditions.flatMap((when) => when.match(/ctxHub\.\w+/g) ?? []));
    used.delete(FEED_VIEW);
    assert.deepEqual(sorted([...used]), sorted(Object.values(CONTEXT_KEYS)));
  });

  it('activates only where there is a .context, runs beside the files, and has its pictures', () => {
    assert.deepEqual(manifest.activationEvents, ['workspaceContains:.context/*']);
    assert.deepEqual(manifest.extensionKind, ['workspace']);
    const pictures = [manifest.icon, ...contributes.viewsContainers.activitybar.map((each) => each.icon)];
    assert.deepEqual(
      pictures.filter((file) => !fs.existsSync(file)),
      [],
    );
    const png = fs.readFileSync(manifest.icon);
    assert.equal(png.subarray(1, 4).toString('latin1'), 'PNG');
    assert.ok(png.readUInt32BE(16) >= 256 && png.readUInt32BE(20) >= 256, 'the icon is at least 256 × 256');
  });
});
