/** Certificates for TLS tests: an authority and what it signs, as files. */
import fs from 'node:fs';
import path from 'node:path';
import { generate } from 'selfsigned';

const DAY_MS = 24 * 60 * 60 * 1_000;

export interface Authority {
  readonly file: string;
  readonly pem: string;
  readonly key: string;
}

export interface Pair {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface PairOptions {
  readonly authority: Authority;
  readonly names?: readonly string[];
  readonly addresses?: readonly string[];
  /** Days from now; negative = past. */
  readonly fromDays?: number;
  readonly toDays?: number;
}

export async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const file = path.join(folder, `${name}.ca.pem`);
  fs.writeFileSync(file, made.cert);
  return { file, pem: made.cert, key: made.private };
}

export async function makePair(folder: string, name: string, options: PairOptions): Promise<Pair> {
  const { authority, names = ['localhost'], addresses = ['127.0.0.1'], fromDays = -1, toDays = 100 } = options;
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: { cert: authority.pem, key: authority.key },
    notBeforeDate: new Date(Date.now() + fromDays * DAY_MS),
    notAfterDate: new Date(Date.now() + toDays * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false },
      {
        name: 'subjectAltName',
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          ...addresses.map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
  const certFile = path.join(folder, `${name}.cert.pem`);
  const keyFile = path.join(folder, `${name}.key.pem`);
  fs.writeFileSync(certFile, made.cert);
  fs.writeFileSync(keyFile, made.private, { mode: 0o600 });
  return { certFile, keyFile };
}
