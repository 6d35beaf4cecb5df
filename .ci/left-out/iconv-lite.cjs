// Replaces iconv-lite in the bundle, whose tables are 500 KB. mysql2 uses it for encodings other than UTF-8 that Node does not
// read by itself: for the text of an OK packet from a server with such a character set, and for columns that a server sends in
// it although our sessions use utf8mb4. Node's own tables (ICU) read them; if Node has none, characters beyond ASCII are
// unreadable and shown as U+FFFD, never as another letter. Nothing is ever written in such an encoding.

/** MySQL's names that the Encoding Standard does not have. utf8mb3 (cesu8) has no characters in which the two differ. */
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
