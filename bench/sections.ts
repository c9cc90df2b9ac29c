/** Sections of docs/benchmarks.md that commands of their own write, and `npm run bench` leaves as they are. */
export interface Section {
  heading: string;
  /** Writes it. */
  command: string;
}

export const FAILOVERS: Section = { heading: '## Failovers of the canary master', command: 'npm run bench:failovers' };
export const ENGINES: Section = { heading: '## Engines of the lab', command: 'npm run bench:engines' };
export const CASSANDRA_STARTS: Section = {
  heading: '## Cassandra in the lab',
  command: 'npm run bench:engines -- --engines cassandra',
};
export const ALL_STARTS: Section = {
  heading: '## All engines in one lab',
  command: 'npm run bench:engines -- --engines redis,kafka,cassandra',
};
export const BESIDE: Section = { heading: '## Failovers beside other engines', command: 'npm run bench:beside' };
export const CASSANDRA: Section = { heading: '## Cassandra', command: 'npm run bench:cassandra' };
export const KAFKA: Section = { heading: '## Kafka', command: 'npm run bench:kafka' };
export const KILL_SWITCH: Section = { heading: '## Kill switch', command: 'npm run bench:kill-switch' };
export const NIGHTLY: Section = { heading: '## Nightly tests', command: 'npm run test:nightly' };
export const DELAY_WORKER: Section = { heading: '## Latency without netem', command: 'npm run bench:delay' };
export const ALERTS: Section = { heading: '## From an alert to the lifted fault', command: 'npm run bench:alerts' };
/** In the order of the document. */
const WRITTEN_APART = [
  FAILOVERS,
  ALERTS,
  ENGINES,
  CASSANDRA_STARTS,
  ALL_STARTS,
  BESIDE,
  KAFKA,
  CASSANDRA,
  KILL_SWITCH,
  DELAY_WORKER,
  NIGHTLY,
];

/** The section as it stands in a document, up to the next heading; empty when there is none. */
export function sectionOf(document: string, { heading }: Section): string {
  const start = document.indexOf(`${heading}\n`);
  if (start < 0) return '';
  const next = document.indexOf('\n## ', start);
  return document.slice(start, next < 0 ? undefined : next + 1);
}

/**
 * A report with every section that is written apart behind it.
 * @param sections heading → text of the section; of one that is missing the command is named
 */
export function withSections(report: string, sections: ReadonlyMap<string, string>): string {
  const texts = WRITTEN_APART.map(({ heading, command }) => {
    const text = sections.get(heading) ?? '';
    return text === '' ? `${heading}\n\nNot run yet. \`${command}\` writes its result here.\n` : text;
  });
  return [report, ...texts].map((text) => `${text.trimEnd()}\n`).join('\n');
}

/** The sections that are written apart, by their headings. */
export function sectionsOf(document: string): Map<string, string> {
  return new Map(WRITTEN_APART.map((section) => [section.heading, sectionOf(document, section)]));
}

/** The document with one of the sections written anew, whatever stands in the others. */
export function withSection(document: string, section: Section, text: string): string {
  const sections = sectionsOf(document);
  const report = [...sections.values()].reduce((rest, each) => rest.replace(each, () => ''), document);
  return withSections(report, sections.set(section.heading, text));
}
