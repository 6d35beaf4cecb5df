// Looks at a file of authorities before it is trusted.
/**
 * Why `pem`, the content of a `ca_file`, cannot be used, in one line; undefined if it can. OpenSSL leaves out what it cannot read: every
 * certificate of the other side would then seem to be of an unknown authority.
 */
export function authoritiesFault(pem: string): string | undefined {
  const blocks = pem.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*(?:-----END )?/g) ?? [];
  if (blocks.length === 0) return 'ca_file cannot be used: it holds no certificate in PEM';
  // Not an import: only what names authorities needs it.
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  for (const [index, block] of blocks.entries()) {
    if (!block.startsWith(PLAIN)) continue;
    try {
      new X509Certificate(`${block}CERTIFICATE-----\n`);
    } catch {
      return `ca_file cannot be used: certificate ${index + 1} in it is damaged`;
    }
  }
  return undefined;
}

const PLAIN = '-----BEGIN CERTIFICATE-----';
