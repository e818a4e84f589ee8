/** The hub's certificate (S02): the operator's files, or a self-signed one that is made once and kept in the data directory. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { HubError } from '../core/errors';
import { writeFileAtomic } from '../core/node/atomic-file';
import { errnoOf, fileError } from '../core/node/file-errors';
import { PRIVATE_FILE_MODE } from '../core/node/platform';
import { readSmallFile } from '../core/node/small-file';
import { isIP } from 'node:net';

export type TlsConfig =
  | { readonly kind: 'files'; readonly certFile: string; readonly keyFile: string }
  /** Names beside this machine's own under which clients reach the hub. */
  | { readonly kind: 'self-signed'; readonly names: readonly string[] };

export interface Certificate {
  /** PEM, with the chain when the operator's file has one. */
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the certificate, as `AA:BB:…`: what clients pin. */
  readonly fingerprint: string;
  readonly validTo: Date;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Clients pin the fingerprint, so it should hardly ever change. */
const SELF_SIGNED_DAYS = 3_650;
const EXPIRY_WARNING_DAYS = 14;

function fault(file: string, why: string, cause?: unknown): HubError {
  return new HubError('config', `${file} cannot be used for TLS: ${why}.`, { cause });
}

function parseCertificate(file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw fault(file, 'it does not hold a certificate in PEM form', error);
  }
}

/** @throws HubError `config` that names the file and what is wrong with it */
export function loadCertificate(certFile: string, keyFile: string, now: Date): Certificate {
  const cert = readSmallFile(certFile);
  const key = readSmallFile(keyFile);
  const parsed = parseCertificate(certFile, cert);
  let isPair: boolean;
  try {
    isPair = parsed.checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw fault(keyFile, 'it does not hold an unencrypted private key in PEM form', error);
  }
  if (!isPair) throw fault(keyFile, `it is not the private key of ${certFile}`);
  const validTo = new Date(parsed.validTo);
  if (validTo < now) throw fault(certFile, `it has expired (${parsed.validTo})`);
  if (new Date(parsed.validFrom) > now) throw fault(certFile, `it is not valid before ${parsed.validFrom}`);
  return { cert, key, fingerprint: parsed.fingerprint256, validTo };
}

function altName(name: string): { type: 2; value: string } | { type: 7; ip: string } {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name };
}

async function makeSelfSigned(certFile: string, keyFile: string, names: readonly string[], now: Date): Promise<void> {
  // Large, and needed once in the life of a data directory.
  const { generate } = await import('selfsigned');
  const all = [...new Set(['localhost', '127.0.0.1', '::1', os.hostname().toLowerCase(), ...names])];
  const made = await generate([{ name: 'commonName', value: 'ctx hub' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // A client whose clock is a little late must not be turned away.
    notBeforeDate: new Date(now.getTime() - DAY_MS),
    notAfterDate: new Date(now.getTime() + SELF_SIGNED_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: all.map(altName) },
    ],
  });
  await writeFileAtomic(keyFile, made.private, { mode: PRIVATE_FILE_MODE, forceMode: true });
  await writeFileAtomic(certFile, made.cert, { mode: PRIVATE_FILE_MODE, forceMode: true });
}

function exists(file: string): boolean {
  try {
    fs.accessSync(file);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw fileError(error, 'read', file);
  }
}

/** The files of a configuration, made when they are the hub's own and not there yet. */
async function certificateFiles(config: TlsConfig, dataDir: string, now: Date): Promise<readonly [string, string]> {
  if (config.kind === 'files') return [config.certFile, config.keyFile];
  const certFile = path.join(dataDir, 'tls.cert.pem');
  const keyFile = path.join(dataDir, 'tls.key.pem');
  if (!exists(certFile) || !exists(keyFile)) await makeSelfSigned(certFile, keyFile, config.names, now);
  return [certFile, keyFile];
}

/** @throws HubError `config` for files that cannot be used, `cannot_create` or `disk_full` when they cannot be made */
export async function openCertificate(config: TlsConfig, dataDir: string): Promise<Certificate> {
  const now = new Date();
  const [certFile, keyFile] = await certificateFiles(config, dataDir, now);
  return loadCertificate(certFile, keyFile, now);
}

/** In words for the operator, while there is time to do something. */
export function expiryProblem(certificate: Certificate, now: Date): string | undefined {
  const days = Math.floor((certificate.validTo.getTime() - now.getTime()) / DAY_MS);
  if (days >= EXPIRY_WARNING_DAYS) return undefined;
  return `The TLS certificate expires in ${days} days (${certificate.validTo.toISOString()}). Put a new one in its place.`;
}
