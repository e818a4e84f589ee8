/** Settings with the types and defaults of {@link SETTING_DEFAULTS}. */
import * as vscode from 'vscode';
import { SETTING_DEFAULTS, type SettingName } from './names';

type Widened<T> = T extends number ? number : T extends boolean ? boolean : string;
export type SettingValue<N extends SettingName> = Widened<(typeof SETTING_DEFAULTS)[N]>;

export function setting<N extends SettingName>(name: N): SettingValue<N> {
  const fallback = SETTING_DEFAULTS[name] as unknown as SettingValue<N>;
  const value = vscode.workspace.getConfiguration().get<unknown>(name);
  // A settings file may hold anything.
  return typeof value === typeof fallback ? (value as SettingValue<N>) : fallback;
}
