/** Why a connection could not be made, in words: what the socket says is for programmers. */
import { errnoOf } from './file-errors';

/** Of what is no TLS at all, in the place of a greeting: HTTP, most likely. */
const NO_TLS = /wrong version number|packet length too long|http request/i;

/** @returns that TLS was tried where none is spoken, else undefined */
export function noTls(error: Error, url: string): string | undefined {
  if (!url.startsWith('wss:') || !NO_TLS.test(error.message)) return undefined;
  return `what answers there does not speak TLS; a hub without a certificate is ${url.replace('wss:', 'ws:')}`;
}

/** @param url that was dialled, `ws://…` or `wss://…` */
export function socketTrouble(error: unknown, url: string): string {
  if (error instanceof AggregateError && error.errors.length > 0) return socketTrouble(error.errors[0], url);
  const code = errnoOf(error) ?? '';
  const words = error instanceof Error ? (noTls(error, url) ?? WORDS[code] ?? error.message) : String(error);
  if (url.startsWith('ws:') && (code === 'ECONNRESET' || code.startsWith('HPE_'))) {
    return `what answers there hung up; a hub with a certificate is ${url.replace('ws:', 'wss:')}`;
  }
  return words;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the name server did not answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the host',
  ETIMEDOUT: 'no answer',
};
