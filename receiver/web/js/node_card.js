/** What one node looks like: an element that is built anew with each change (patch.js). */
import { el, icon } from './dom.js';
import {
  PRESENCE, describePhase, healthTone, isSilent, isUnderWay, progressOf, projectsOf, servicesOf,
  stateTone,
} from './node_state.js';
import { getPref } from './prefs.js';
import { formatRelative, formatTime } from './time.js';
import { formatBytes } from './units.js';

const badge = (tone, ...children) => el('span', { class: 'tag', 'data-tone': tone }, ...children);

function timeNode(rfc3339) {
  return el('time', { datetime: rfc3339, title: rfc3339 }, formatTime(rfc3339, getPref('time')));
}

/** @param {any} node @param {number} now */
export function ageText(node, now) {
  if (node.reported === null) return 'no report yet';
  const age = formatRelative(Math.min(Date.parse(node.reported), now), now);
  return isSilent(node, now) ? `silent: last report ${age}` : `reported ${age}`;
}

/* ---- what is under way ---- */

function bar(label, value, { done, total }) {
  const attributes = total > 0 ? { max: total, value: Math.min(done, total) } : {};
  return el('div', { class: 'bar' },
    el('span', { class: 'bar-label', dir: 'auto' }, label),
    el('span', { class: 'bar-value' }, value),
    el('progress', { ...attributes, 'aria-label': `${label}, ${value}` }));
}

function pullBar(pull) {
  const { image, state, current = 0, total = 0 } = pull;
  if (state === 'pulling') {
    const size = total > 0 ? `${formatBytes(current)} of ${formatBytes(total)}` : formatBytes(current);
    return bar(image, size, { done: current, total });
  }
  return bar(image, state, { done: state === 'done' ? 1 : 0, total: 1 });
}

function progressNode(progress) {
  if (progress === null) return null;
  const { step, pulls = [] } = progress;
  const steps = step
    ? [bar(step.text || 'steps', `step ${step.done} of ${step.total}`, step)] : [];
  return el('div', { class: 'bars' }, ...steps, ...pulls.map(pullBar));
}

/* ---- a project ---- */

function reasonNode({ code, service, message, advice, engine }) {
  return el('div', { class: 'reason' },
    el('p', { dir: 'auto' }, el('code', {}, code), service ? ` ${service}: ` : ' ', message ?? ''),
    advice ? el('p', { class: 'advice', dir: 'auto' }, advice) : null,
    engine ? el('details', {}, el('summary', {}, 'What the engine said'),
      el('code', { dir: 'auto' }, engine)) : null);
}

function exitNode({ name, lastExit }) {
  const why = lastExit.oom ? ', out of memory' : '';
  const when = lastExit.at ? [' ', timeNode(lastExit.at)] : [];
  return el('details', { class: 'exit' },
    el('summary', {}, `${name} exited with ${lastExit.code}${why}`, ...when),
    lastExit.tail ? el('pre', { tabindex: 0, dir: 'auto', 'aria-label': `Last lines of ${name}` },
      lastExit.tail) : null);
}

function serviceNode([name, service]) {
  const { state, health, replicas, restarts, image, containers = [] } = service;
  const checked = health && health !== 'none' ? badge(healthTone(health), health) : null;
  const count = replicas ? `${replicas.running} of ${replicas.desired}` : '';
  const again = restarts > 0 ? `, ${restarts} restart${restarts === 1 ? '' : 's'}` : '';
  return el('li', {},
    el('span', { class: 'service-name', dir: 'auto' }, name),
    el('span', { class: 'service-state' }, badge(stateTone(service), state ?? 'unknown'), checked),
    el('span', { class: 'service-count' }, `${count}${again}`),
    el('code', { class: 'service-image', dir: 'auto' }, image ?? ''),
    ...containers.filter((container) => container.lastExit).map(exitNode));
}

/* Drift, and ghosts: what the engine does not let go of. */
function differencesNode({ drift, ghosts }) {
  const all = [...(drift ?? []), ...(ghosts ?? [])];
  if (!all.length) return null;
  return el('ul', { class: 'drift' }, ...all.map(({ service, object, cause }) => (
    el('li', { dir: 'auto' }, `${object ?? service}: ${cause}`))));
}

function convergedTag({ converged, drift, phase }) {
  if (converged) return badge('ok', 'converged');
  if (drift?.length) return badge('bad', `drift: ${drift.length}`);
  return isUnderWay(phase) ? badge('busy', 'not converged yet') : badge('bad', 'not converged');
}

const SOURCES = { node: 'for this node', lost: 'no longer published' };

function projectFacts({ source, desired, applied, since, attempt, nextRetry }) {
  const facts = [];
  if (source) facts.push(SOURCES[source] ?? `for ${source.replace(':', ' ')}`);
  const wanted = desired?.revision;
  const runs = applied?.revision;
  if (desired?.accepted === false) facts.push(`revision ${wanted} was refused`);
  if (runs !== undefined && runs !== wanted) facts.push(`runs revision ${runs}`);
  if (attempt > 1) facts.push(`attempt ${attempt}`);
  const nodes = facts.flatMap((fact, i) => (i > 0 ? [' · ', fact] : [fact]));
  if (since) nodes.push(' · since ', timeNode(since));
  if (nextRetry) nodes.push(' · next try ', timeNode(nextRetry));
  return el('p', { class: 'node-facts' }, ...nodes);
}

function projectNode(node, name, project, now) {
  const { text, tone } = describePhase(project.phase);
  const revision = project.desired?.revision ?? project.applied?.revision;
  return el('section', { class: 'project' },
    el('h3', {}, el('span', { dir: 'auto' }, name),
      revision === undefined ? '' : el('span', { class: 'revision' }, ` revision ${revision}`)),
    el('div', { class: 'tags' }, badge(tone, text), convergedTag(project),
      project.ghosts?.length ? badge('warn', `ghosts: ${project.ghosts.length}`) : null,
      project.paused ? badge('warn', 'paused') : null),
    projectFacts(project),
    progressNode(progressOf(node, name, now)),
    project.reason ? reasonNode(project.reason) : null,
    differencesNode(project),
    el('ul', { class: 'services', 'aria-label': `Services of ${name}` },
      ...servicesOf(project).map(serviceNode)));
}

/* ---- the node ---- */

function engineNode(engine) {
  if (!engine || engine.state === 'up') return null;
  return reasonNode({ code: 'engine', message: `The container engine is ${engine.state}.`,
    engine: engine.reason });
}

function nodeFacts({ report, presence }) {
  const facts = [];
  const version = report?.agent?.version ?? presence?.version;
  if (version) facts.push(`manager ${version}`);
  if (report?.engine?.version) facts.push(`engine ${report.engine.version}`);
  const { free, total } = report?.disk ?? {};
  if (total > 0) facts.push(`${formatBytes(free)} of ${formatBytes(total)} free`);
  return facts.join(' · ');
}

// What is said of the projects need not be true any more.
const isPast = (node, now) => node.state === 'offline' || isSilent(node, now);

/**
 * @param {any} node
 * @param {number} now by the receiver's clock
 * @returns {HTMLElement}
 */
export function createNodeCard(node, now) {
  const id = `node-${node.level}`;
  const { text, icon: symbol, tone } = PRESENCE[node.state];
  const groups = node.report?.groups ?? [];
  const projects = projectsOf(node);
  return el('article', { class: 'node', 'aria-labelledby': id, 'data-level': node.level },
    el('div', { class: 'node-head' },
      el('h2', { id, dir: 'auto' }, node.node),
      el('span', { class: 'tag presence', 'data-tone': tone, 'data-state': node.state },
        icon(symbol), text),
      ...groups.map(({ name }) => el('span', { class: 'group', dir: 'auto' }, name)),
      el('span', { class: 'node-age', 'data-silent': String(isSilent(node, now)) }, ageText(node, now))),
    el('p', { class: 'node-facts' }, nodeFacts(node)),
    node.report && isPast(node, now)
      ? el('p', { class: 'past' }, 'This is how it was at its last report.') : null,
    engineNode(node.report?.engine),
    node.report && projects.length === 0 ? el('p', { class: 'hint' }, 'Nothing is to run here.') : null,
    ...projects.map(([name, project]) => projectNode(node, name, project, now)));
}
