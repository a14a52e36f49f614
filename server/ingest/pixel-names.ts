/**
 * What Aktivat's tracker calls things: nested objects flattened with `_`, in the query of `/track/it`.
 *
 *   trackr_event_type       trackr_pageloaded_event    view, with page.loadMs
 *                           trackr_element_event       click, mouseover, focus, blur …, with element
 *                           trackr_visitDuration_event visitDuration, with visit.durationMs
 *                           trackr_signupUser_event    signup
 *                           trackr_loginUser_event     login; with data or a signup date: loginAndImport, since
 *                                                      the tracker sends both under one name
 *                           trackr_updateUser_event    updateUser
 *                           trackr_logoutUser_event    logout
 *                           trackr_x_event             x
 *   config_cookies_visitor  the id of the user who is logged in
 *   name=Ann                of an event that tells of a user: user.data.name; of any other: event.data.name
 *
 * What somebody types (`trackr_element_value`, `trackr_element_char`) is nobody's business and is not kept.
 */
import { limits } from '../protocol/limits.ts';
import { identityTypes } from '../store/identity-change.ts';
import type { Group } from './members.ts';

const paths: Readonly<Record<string, string>> = {
  trackr_event_type: 'event.type',
  trackr_page_loadtime: 'page.loadMs',
  trackr_visit_time: 'visit.durationMs',
  trackr_element_event: 'element.event',
  trackr_element_type: 'element.type',
  trackr_element_label: 'element.label',
  trackr_element_position: 'element.position',
  config_cookies_session: 'session.id',
  config_cookies_v_visitor: 'visitor.id',
  config_cookies_visitor: 'user.id',
  config_tab: 'tab.id',
  config_screen_width: 'screen.width',
  config_screen_height: 'screen.height',
  hostname: 'page.hostname',
  path: 'page.path',
  hash: 'page.hash',
  event_id: 'event.id',
  signupDate: 'user.signupDate',
};
/** Not kept: what was typed, the account (it names the property), and what only defeats caches. */
const left = new Set(['trackr_element_value', 'trackr_element_char', 'config_account', '_']);
const argumentPrefix = 'args_';
const configPrefix = 'config_';
/** Where unknown names wait until the type of the event is known. */
const further = 'further';

/** True of what says nothing: scripts write `undefined` into a query where they have no value. */
export function unsaid(name: string, value: string): boolean {
  if (left.has(name) || name === '' || name === argumentPrefix) return true;
  return value === '' || value === 'undefined' || value === 'null' || value === 'NaN';
}

/** The dotted name of a flattened one. */
export function flattenedPath(name: string): string {
  if (Object.hasOwn(paths, name)) return paths[name] as string;
  if (name.startsWith(argumentPrefix)) return `page.args.${undotted(name.slice(argumentPrefix.length))}`;
  if (name.startsWith(configPrefix)) return `config.${name.slice(configPrefix.length)}`;
  return `${further}.${name}`;
}

/** A name that came percent-encoded twice may hold anything but a level of its own. */
const undotted = (name: string): string => name.replaceAll('.', '_');

const types: Readonly<Record<string, string>> = {
  trackr_pageloaded_event: 'view',
  trackr_signupUser_event: 'signup',
  trackr_loginUser_event: 'login',
  trackr_loginAndImportUser_event: 'loginAndImport',
  trackr_updateUser_event: 'updateUser',
  trackr_logoutUser_event: 'logout',
};
const otherType = /^trackr_(.+)_event$/;

/** Names the event as it is called here, and puts what belongs to its type in its place. */
export function finishFlattened(event: Group): void {
  const inner = event['event'] as Group | undefined;
  const said = inner?.['type'];
  if (inner === undefined || typeof said !== 'string') return;
  nameEvent(inner, said, event);
  moveFurther(event, inner, said);
  nameSource(event);
  const page = event['page'] as Group | undefined;
  // Browsers that know no time say one from before 1970, or none; the view itself is a fact.
  if (said === 'trackr_pageloaded_event' && !isLoadTime(page?.['loadMs'])) delete page?.['loadMs'];
}

function nameEvent(inner: Group, said: string, event: Group): void {
  const element = event['element'] as Group | undefined;
  const elementEvent = element?.['event'];
  if (element !== undefined) delete element['event'];
  if (said === 'trackr_element_event') inner['type'] = elementEvent;
  else if (Object.hasOwn(types, said)) inner['type'] = types[said];
  else inner['type'] = otherType.exec(said)?.[1] ?? said;
}

function moveFurther(event: Group, inner: Group, said: string): void {
  const members = event[further] as Group | undefined;
  delete event[further];
  const isOfUser = identityTypes.some((type) => type === inner['type']);
  const user = event['user'] as Group | undefined;
  if (said === 'trackr_loginUser_event' && (members !== undefined || user?.['signupDate'] !== undefined))
    inner['type'] = 'loginAndImport';
  if (members === undefined) return;
  if (!isOfUser) inner['data'] ??= members;
  else if (user === undefined) event['user'] = { data: members };
  else user['data'] ??= members;
}

/** The page's own `utm_` arguments say what brought the visitor, unless the event does. */
function nameSource(event: Group): void {
  const page = event['page'] as Group | undefined;
  const args = page?.['args'] as Group | undefined;
  const name = args?.['utm_source'];
  if (event['source'] !== undefined || !isName(name)) return;
  const campaign = args?.['utm_campaign'];
  event['source'] = isName(campaign) ? { name, campaign } : { name };
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= limits.nameLengthMax;

const isLoadTime = (value: unknown): boolean =>
  typeof value === 'number' && value >= 0 && value <= limits.pageLoadMsMax;
