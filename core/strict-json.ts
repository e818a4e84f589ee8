/**
 * JSON from outside, let in strictly (PROTOCOL.md, section "Wire"): bounded depth and size, no duplicate or dangerous
 * keys, no lone surrogates. `JSON.parse` builds the value; a linear scan of the text first refuses what it would swallow.
 */
import { BACKSLASH, COMMA, QUOTE } from './characters';
import { HubError } from './errors';

export const MAX_JSON_DEPTH = 8;
/** Of one object. */
export const MAX_JSON_KEYS = 64;
/** Of the whole text: a full batch needs below 1,000. */
export const MAX_JSON_VALUES = 8192;

const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Keys that reach an object's prototype when a value is copied carelessly. */
const DANGEROUS = new Set(['__proto__', 'constructor', 'prototype']);

function refuse(why: string): never {
  throw new HubError('invalid', `The message is not acceptable JSON: ${why}.`);
}

/** Index of the closing quote of a string whose first character is at `from`. */
function endOfString(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at !== -1) {
    let slashes = 0;
    while (at - 1 - slashes >= from && text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at;
    at = text.indexOf('"', at + 1);
  }
  return refuse('a string does not end');
}

function keyText(raw: string): string {
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return refuse('a key is malformed');
  }
}

function addKey(keys: Set<string> | undefined, raw: string): void {
  const key = keyText(raw);
  if (keys === undefined) return refuse('a key stands outside an object');
  if (DANGEROUS.has(key)) return refuse(`the key ${key} is not allowed`);
  if (keys.has(key)) return refuse('a key appears twice in one object');
  keys.add(key);
  if (keys.size > MAX_JSON_KEYS) return refuse(`an object has more than ${MAX_JSON_KEYS} keys`);
}

/** Refuses what a valid text must not contain. For an invalid text it may find nothing: parsing comes after. */
function scan(text: string): void {
  /** One per open bracket: the keys seen, or `undefined` in an array. */
  const open: (Set<string> | undefined)[] = [];
  let values = 0;
  let stringStart = -1;
  let stringEnd = -1;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        stringStart = at + 1;
        stringEnd = endOfString(text, stringStart);
        at = stringEnd;
        break;
      case COLON:
        addKey(open.at(-1), text.slice(stringStart, stringEnd));
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (open.length === MAX_JSON_DEPTH) refuse(`it is nested deeper than ${MAX_JSON_DEPTH} levels`);
        open.push(text.charCodeAt(at) === OPEN_BRACE ? new Set() : undefined);
        values++;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        open.pop();
        break;
      case COMMA:
        if (++values > MAX_JSON_VALUES) refuse(`it has more than ${MAX_JSON_VALUES} values`);
        break;
      default:
    }
  }
}

function checkUnicode(value: unknown): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) refuse('a string holds a lone surrogate');
  } else if (Array.isArray(value)) {
    for (const each of value) checkUnicode(each);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      checkUnicode(key);
      checkUnicode(each);
    }
  }
}

/** Only an escape can bring a lone surrogate into a text that is itself well-formed. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** @throws HubError `invalid`, saying which rule the text breaks; never repeats the text */
export function parseStrictJson(text: string): unknown {
  scan(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('it cannot be parsed');
  }
  if (SURROGATE_ESCAPE.test(text) || !text.isWellFormed()) checkUnicode(value);
  return value;
}
