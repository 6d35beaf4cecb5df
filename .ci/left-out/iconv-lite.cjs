// In place of iconv-lite in the bundle, whose tables are 500 KB. mysql2 asks it for what is neither UTF-8 nor another encoding that Node
// reads by itself: the words of an OK packet on a server whose own character set is such a one, and columns that a server sends so
// although our sessions speak utf8mb4. Node's own tables (ICU) read them; if it has none, what is beyond ASCII is unreadable and shown
// as U+FFFD, never as some other letter. Nothing is ever written in such an encoding.

/** MySQL's names that are none of the Encoding Standard's. utf8mb3 (cesu8) has no characters in which the two differ. */
const LABELS = {
  cesu8: 'utf-8',
  cp932: 'shift_jis',
  eucjp: 'euc-jp',
  euckr: 'euc-kr',
  koi8r: 'koi8-r',
  koi8u: 'koi8-u',
  latin5: 'iso-8859-9',
  latin7: 'iso-8859-13',
  tis620: 'iso-8859-11',
};

exports.getDecoder = (encoding) => {
  const decoder = decoderOf(LABELS[encoding] ?? encoding);
  return { write: (bytes) => decoder(bytes), end: () => '' };
};

function decoderOf(label) {
  try {
    const decoder = new TextDecoder(label);
    return (bytes) => decoder.decode(bytes);
  } catch {
    return (bytes) => bytes.toString('latin1').replaceAll(/[\u0080-\u00ff]/g, '\ufffd');
  }
}

exports.getEncoder = (encoding) => {
  throw new Error(`iconv-lite is not in the bundle: nothing is written in ${encoding}`);
};
