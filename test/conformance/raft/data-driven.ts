/** Reads scripts of commands with their expected output: `cmd arg key=value key=(a,b)`, input lines, `----`, output. */

export interface Argument {
  readonly key: string;
  readonly values: readonly string[];
}

export interface Command {
  readonly name: string;
  readonly args: readonly Argument[];
}

export interface Case {
  /** Line of the command in its file, from 1. */
  readonly line: number;
  readonly command: Command;
  readonly input: readonly string[];
  readonly expected: readonly string[];
}

const SEPARATOR = '----';

export function parseCommand(line: string): Command {
  const words = line.match(/[^\s=()]+(?:=(?:\([^)]*\)|\S*))?/g) ?? [];
  const [name = '', ...rest] = words;
  return { name, args: rest.map(parseArgument) };
}

function parseArgument(word: string): Argument {
  const at = word.indexOf('=');
  if (at === -1) return { key: word, values: [] };
  const value = word.slice(at + 1);
  const list = /^\((.*)\)$/s.exec(value)?.[1];
  const values = list === undefined ? [value] : list.split(/[\s,]+/).filter((each) => each !== '');
  return { key: word.slice(0, at), values };
}

export function parseCases(text: string): Case[] {
  const lines = text.split(/\r?\n/);
  const cases: Case[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    if (line.trim() === '' || line.startsWith('#')) {
      at += 1;
      continue;
    }
    const start = at;
    while (at < lines.length && lines[at] !== SEPARATOR) at += 1;
    const input = lines.slice(start + 1, at);
    const end = outputEnd(lines, at + 1);
    cases.push({ line: start + 1, command: parseCommand(line), input, expected: end.output });
    at = end.next;
  }
  return cases;
}

/** Up to a blank line; between doubled separators blank lines belong to the output. */
function outputEnd(lines: readonly string[], from: number): { output: string[]; next: number } {
  if (lines[from] === SEPARATOR) {
    let at = from + 1;
    while (at < lines.length && !(lines[at] === SEPARATOR && lines[at + 1] === SEPARATOR)) at += 1;
    return { output: lines.slice(from + 1, at), next: at + 2 };
  }
  let at = from;
  while (at < lines.length && lines[at] !== '') at += 1;
  return { output: lines.slice(from, at), next: at };
}

const LOG_WORDING = /^\s*(DEBUG|INFO|WARN|ERROR|FATAL)\b/;

/** What has to be equal: everything but log wording. An empty answer reads `ok`. */
export function meaning(lines: readonly string[]): string[] {
  const kept = lines.map((line) => line.trimEnd()).filter((line) => !LOG_WORDING.test(line) && line !== '');
  return kept.length === 0 ? ['ok'] : kept;
}

export const valuesOf = (command: Command, key: string): readonly string[] =>
  command.args.find((arg) => arg.key === key)?.values ?? [];

export const valueOf = (command: Command, key: string): string | undefined => valuesOf(command, key)[0];

/** Arguments without `=`, as numbers. */
export const numbersOf = (command: Command): number[] =>
  command.args.filter((arg) => arg.values.length === 0).map((arg) => Number(arg.key));
