/**
 * What the fields of events are: types, and how a field is found again. Standard fields are built in; a property
 * declares further ones (schema.ts).
 *
 *   string   a keyword, compared whole        integer, double   a number
 *   text     words, compared without case     date              epoch ms or ISO 8601
 */
export const fieldTypes = ['string', 'text', 'integer', 'double', 'date'] as const;

export type FieldType = (typeof fieldTypes)[number];

/** One field as `GET /schema` shows it. */
export interface SchemaField {
  /** Dotted: `page.path`. */
  readonly name: string;
  readonly type: FieldType;
  /** May an event have several values of it, in an array? */
  readonly multi: boolean;
  readonly description: string;
}

/** A field that the index holds. */
export interface IndexedField {
  readonly name: string;
  readonly kind: 'keyword' | 'text' | 'number' | 'date';
  readonly multi: boolean;
}

const field = (name: string, type: FieldType, description: string, multi = false): SchemaField => ({
  name,
  type,
  multi,
  description,
});

export const standardFields: readonly SchemaField[] = [
  field('event.type', 'string', 'what happened'),
  field('event.time', 'date', 'when, by the client’s clock'),
  field('event.seq', 'integer', 'number within session and tab'),
  field('event.id', 'string', 'id of an event without a number'),
  field('session.id', 'string', 'the visit'),
  field('session.start', 'date', 'when the visit began'),
  field('visitor.id', 'string', 'the visitor, from a cookie'),
  field('tab.id', 'string', 'the tab'),
  field('user.id', 'string', 'who is logged in'),
  field('page.url', 'string', 'address of the page'),
  field('page.path', 'string', 'its path'),
  field('page.hostname', 'string', 'its host'),
  field('page.title', 'text', 'its title'),
  field('page.referrer', 'string', 'the page before'),
  field('page.loadMs', 'double', 'how long it took to load, milliseconds'),
  field('source.name', 'string', 'what brought the visitor'),
  field('source.campaign', 'string', 'the campaign of that source'),
  field('element.type', 'string', 'category of the element'),
  field('element.label', 'string', 'what the element says'),
  field('element.position', 'string', 'where the element stands'),
  field('interest.name', 'string', 'what the visitor is interested in'),
  field('experiment.id', 'string', 'the experiment'),
  field('experiment.variant', 'string', 'which of its variants'),
  field('order.id', 'string', 'the order'),
  field('order.revenue', 'double', 'what it brings, in its currency'),
  field('order.currency', 'string', 'ISO 4217 letters'),
  field('visit.durationMs', 'double', 'how long the page was looked at, milliseconds'),
  field('event.data.visitMs', 'double', 'how long a visit lasted that timed out, milliseconds'),
  field('event.data.heartbeat._m1.geo.country_iso_code', 'string', 'country of a visit that timed out'),
  field('event.data.heartbeat._m1.geo.subdivision_1_iso_code', 'string', 'state or province of such a visit'),
  field('_m1.receivedUTC', 'date', 'when the collector received it'),
  field('_m1.ip', 'string', 'from where'),
  field('_m1.time', 'string', '`received` where the event’s own time was out of limits'),
  field('_m1.geo.country_iso_code', 'string', 'country, ISO 3166-1'),
  field('_m1.geo.subdivision_1_iso_code', 'string', 'state or province, ISO 3166-2'),
  field('_m1.geo.city_name', 'string', 'city'),
  field('_m1.geo.time_zone', 'string', 'time zone'),
  field('_m1.geo.latitude', 'double', 'degrees'),
  field('_m1.geo.longitude', 'double', 'degrees'),
  field('_m1.ua.family', 'string', 'the browser'),
  field('_m1.ua.os', 'string', 'its operating system'),
  field('_m1.ua.device', 'string', 'its device'),
  field('_m1.ua.bot', 'string', '`true` of programs that visit by themselves'),
];

export const standardFieldNames: ReadonlySet<string> = new Set(standardFields.map(({ name }) => name));

/** Nearly every event has its own value of these: found through structures of their own, or not at all. */
export const highCardinalityFields: ReadonlySet<string> = new Set([
  'visitor.id',
  'session.id',
  'user.id',
  'tab.id',
  'event.id',
  'event.seq',
  'order.id',
  '_m1.ip',
  'page.url',
  'page.referrer',
]);

const kinds = {
  string: 'keyword',
  text: 'text',
  integer: 'number',
  double: 'number',
  date: 'date',
} as const satisfies Record<FieldType, IndexedField['kind']>;

/** Those of the fields that the index holds. */
export function indexedFields(fields: readonly SchemaField[]): readonly IndexedField[] {
  return fields
    .filter(({ name }) => !highCardinalityFields.has(name))
    .map(({ name, type, multi }) => ({ name, kind: kinds[type], multi }));
}
