/** An element without attributes of interest: either text or further elements. */
export interface XmlElement {
  name: string;
  text: string;
  children: XmlElement[];
}

const TOKEN = /<\?[^>]*\?>|<(\/?)([A-Za-z][\w.-]*)(?:\s[^>]*?)?(\/?)>|([^<]+)/gy;

/** Reads the XML that services write: elements and text. @throws Error where it is not well formed. */
export function parseXml(xml: string): XmlElement {
  const root: XmlElement = { name: '', text: '', children: [] };
  const open: XmlElement[] = [root];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < xml.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(xml);
    const current = open.at(-1);
    if (found === null || current === undefined) throw new Error(`no XML at character ${at}`);
    const [, closing, name, empty, text] = found;
    if (text !== undefined) current.text += unescaped(text);
    else if (name !== undefined && closing === '/') {
      if (current.name !== name) throw new Error(`</${name}> closes <${current.name}>`);
      open.pop();
    } else if (name !== undefined) {
      const element: XmlElement = { name, text: '', children: [] };
      current.children.push(element);
      if (empty !== '/') open.push(element);
    }
  }
  const [document, ...others] = root.children;
  if (document === undefined || others.length > 0 || open.length !== 1)
    throw new Error('one whole element is expected');
  return document;
}

const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (whole, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)));
    return NAMED[name] ?? whole;
  });
}
