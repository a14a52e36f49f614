/** The limits of the wire contract. docs/api.md names each; a test holds the two together. */
export const limits = {
  /** Bytes of a request body. Larger: 413. */
  bodyBytesMax: 1_048_576,
  /** Events in one `POST /write`. More: 413. */
  eventsPerWriteMax: 1000,
  /** Levels of objects and arrays in an event, the event itself being level 1. */
  eventDepthMax: 8,
  /** Members of all objects and arrays of an event, together. */
  eventMembersMax: 640,
  /** UTF-8 bytes of an event once enriched and written as JSON. */
  eventBytesMax: 32_768,
  /** Characters of an event type, source, campaign, account or property. */
  nameLengthMax: 128,
  /** Characters of a visitor, session, tab, event or user id. */
  idLengthMax: 128,
  /** Characters of `page.path` and `page.url` as kept in session info; the document keeps all of it. */
  pagePathLengthMax: 512,
  /** `event.seq` runs from 1 to this. */
  seqMax: 2_147_483_647,
  /** How many of the newest sequence numbers of a (session, tab) are told apart. RFC 6479's window. */
  seqWindow: 1024,
  /** A sequence number this far above the highest seen is refused, so that one can't poison a session. */
  seqJumpMax: 10_000,
  /** Tabs of one session with a window of their own. */
  tabsPerSessionMax: 32,
  /** Event times this far in the past are accepted; older: received time, and flagged. */
  eventAgeMsMax: 7 * 86_400_000,
  /** Event times this far in the future are accepted; beyond: received time, and flagged. */
  eventAheadMsMax: 5 * 60_000,
  /** UTF-8 bytes of `user.data` as JSON, in one event. */
  userDataBytesMax: 8192,
  /** Members of `user.data` in a user's record, and UTF-8 bytes of their names and values together. */
  userRecordMembersMax: 128,
  userRecordBytesMax: 65_536,
  /** Visitors that a user's record names, and users that a visitor's does: the latest ones. */
  visitorsPerUserMax: 100,
  usersPerVisitorMax: 20,
  /** Items of an order. */
  orderItemsMax: 100,
  /** Milliseconds that a page may take to load, at most. */
  pageLoadMsMax: 3_600_000,
  /** Characters behind the `?` of a pixel's URL. More: 414. */
  pixelQueryLengthMax: 8192,
  /** Fields that a property's schema declares beside the standard ones. */
  schemaFieldsMax: 1000,
  /** Sessions that one `POST /session/update` upserts and deletes. More: 413. */
  sessionOpsMax: 1000,
  /** Rows of one `/session/query`. */
  sessionRowsMax: 1000,
  /** `start` of one `/session/query`, at most. */
  sessionStartMax: 10_000,
  /** `event.id` of events without a number is remembered at least this long (at most twice). */
  eventIdMemoryMs: 86_400_000,
} as const;
