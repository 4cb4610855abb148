// Certificates made for a test, by openssl.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testCall } from '../../base/testing/call.ts';
import { exec } from '../exec.ts';

export interface Certificate {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
}

async function openssl(...args: string[]): Promise<void> {
  await exec(testCall, { file: '/usr/bin/openssl', args });
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export async function makeAuthority(dir: string, name = 'ca'): Promise<Certificate> {
  const [cert, key] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  await openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    key,
    '-out',
    cert,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  );
  return { cert, key };
}

const LOCALHOST = 'subjectAltName = IP:127.0.0.1, IP:::1, DNS:localhost\n';

/** For a server at 127.0.0.1 and ::1, and for clients; for something else with other `extensions`, as openssl has them. */
export async function makeCertificate(
  dir: string,
  name: string,
  authority: Certificate,
  extensions = LOCALHOST,
): Promise<Certificate> {
  const [cert, key, request, extensionsFile] = ['crt', 'key', 'csr', 'ext'].map((end) =>
    join(dir, `${name}.${end}`),
  ) as [string, string, string, string];
  writeFileSync(extensionsFile, extensions);
  await openssl('req', '-new', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
  const signed = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial', '-days', '2'];
  await openssl('x509', '-req', '-in', request, '-out', cert, ...signed, '-extfile', extensionsFile);
  return { cert, key };
}
