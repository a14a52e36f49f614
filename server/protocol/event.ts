/**
 * An event on the wire: a JSON object with nested groups, spoken of by dotted names.
 *
 *   {"event":{"type":"view","time":1795280000000,"seq":2,"id":"…","data":{…}},
 *    "session":{"id":"…","start":1795279990000},"visitor":{"id":"…"},"tab":{"id":"t1"},
 *    "page":{"url":"…","path":"/shop","title":"…","referrer":"…"},
 *    "source":{"name":"newsletter","campaign":"spring"}, … any further members …}
 *
 * Required: `event.type` and `visitor.id`. `event.seq` needs `session.id`. Times are epoch milliseconds
 * or ISO 8601 texts. The collector adds `_m1` (`receivedUTC`, `ip`, and `time: "received"` when the
 * client's clock was out of limits and the received time was used).
 */
export const standardEventTypes = [
  'sessionStart',
  'view',
  'heartbeat',
  'sessionTimeout',
  'click',
  'mouseover',
  'focus',
  'blur',
  'signup',
  'login',
  'loginAndImport',
  'logout',
  'updateUser',
  'interest',
  'exposure',
  'conversion',
  'order',
] as const;

/** Why an event was not accepted: machine-readable, in the reply to its sender. */
export const rejectReasons = {
  not_json: 'the line is not JSON',
  not_an_object: 'the event is not a JSON object',
  missing_type: 'event.type is missing',
  invalid_type: 'event.type must be a text of 1 to 128 characters',
  missing_visitor: 'visitor.id is missing',
  invalid_visitor: 'visitor.id must be a text of 1 to 128 characters',
  invalid_session: 'session.id must be a text of 1 to 128 characters',
  invalid_session_start: 'session.start must be a time: epoch milliseconds or ISO 8601',
  invalid_tab: 'tab.id must be a text of 1 to 128 characters',
  invalid_time: 'event.time must be a time: epoch milliseconds or ISO 8601',
  invalid_seq: 'event.seq must be a whole number from 1 to 2147483647',
  seq_without_session: 'event.seq needs session.id',
  invalid_id: 'event.id must be a text of 1 to 128 characters',
  invalid_source: 'source.name and source.campaign must be texts of 1 to 128 characters',
  invalid_page: 'page.path must be a text',
  invalid_load_time: 'page.loadMs must be a number from 0 to 3600000',
  invalid_element:
    'element must be an object, element.type and element.label texts of 1 to 512 characters, element.position a number or such a text',
  invalid_interest: 'interest.name must be a text of 1 to 128 characters',
  missing_user: 'user.id is missing',
  invalid_user: 'user must be an object and user.id a text of 1 to 128 characters',
  invalid_user_data: 'user.data must be an object of at most 8192 bytes as JSON',
  invalid_signup_date:
    'user.signupDate must be a time that is not ahead: Unix seconds, epoch milliseconds or ISO 8601',
  invalid_experiment: 'experiment.id and experiment.variant must be texts of 1 to 128 characters',
  invalid_order:
    'order.id must be a text of 1 to 128 characters, order.revenue a finite number, order.currency three letters A to Z (ISO 4217)',
  invalid_order_items: 'order.items must be an array of at most 100 objects',
  malformed_query: 'the query is not percent-encoded UTF-8, or says one member in two ways',
  invalid_group: 'event, session, visitor, tab, page and source must be objects',
  forbidden_name: 'an object has a member named __proto__, constructor or prototype',
  too_deep: 'the event is nested more than 8 levels deep',
  too_many_members: 'the event has more than 640 members',
  too_large: 'the event is larger than 32768 bytes',
  too_old: 'event.seq is left of the window of the newest 1024 numbers of its tab',
  seq_jump: 'event.seq is more than 10000 above the highest seen of its tab',
  too_many_tabs: 'the session has more than 32 tabs',
} as const;

export type RejectReason = keyof typeof rejectReasons;
