/** What a node's report means: in words, and whether a person should look. */

/** A manager reports every 60 s at least; who has missed three is silent. */
const STALE_MS = 3 * 60000;
/** Progress that nothing was heard of for so long is not shown: its end may have been missed. */
const PROGRESS_MS = 120000;

export const PRESENCE = {
  online: { text: 'online', icon: 'online', tone: 'ok' },
  offline: { text: 'offline', icon: 'offline', tone: 'bad' },
  unknown: { text: 'presence unknown', icon: 'unknown', tone: 'warn' },
};

const PHASES = {
  IDENTIFYING: { text: 'planning', tone: 'busy' },
  REJECTED: { text: 'rejected', tone: 'bad' },
  WAITING: { text: 'waiting', tone: 'warn' },
  DOWNLOADING: { text: 'downloading', tone: 'busy' },
  UPDATING: { text: 'updating', tone: 'busy' },
  ACTIVATING: { text: 'activating', tone: 'busy' },
  VERIFYING: { text: 'verifying', tone: 'busy' },
  COMPLETED: { text: 'completed', tone: 'ok' },
  ROLLING_BACK: { text: 'rolling back', tone: 'warn' },
  ROLLED_BACK: { text: 'rolled back', tone: 'bad' },
  INCOMPLETE: { text: 'incomplete', tone: 'bad' },
  STALLED: { text: 'stalled', tone: 'bad' },
  SUPERSEDED: { text: 'superseded', tone: 'idle' },
};

/** @param {string} phase one that is not known is shown as it came */
export const describePhase = (phase) => PHASES[phase] ?? { text: phase, tone: 'idle' };

/** @param {string} phase of a project for which something is being done, or will be */
export const isUnderWay = (phase) => ['busy', 'warn'].includes(describePhase(phase).tone);

const BAD_STATES = new Set(['exited', 'dead', 'restarting', 'absent']);

const wanted = ({ replicas }) => (replicas?.desired ?? 1) > 0;

/** @param {any} service what the tone of its state is; one that is not wanted may be in any */
export function stateTone(service) {
  const { state } = service;
  if (!wanted(service)) return 'idle';
  if (BAD_STATES.has(state)) return 'bad';
  return state === 'running' ? 'ok' : 'warn';
}

const HEALTH_TONES = { healthy: 'ok', unhealthy: 'bad', starting: 'warn' };
/** @param {string} health */
export const healthTone = (health) => HEALTH_TONES[health] ?? 'idle';

const isServiceBad = (service) => (
  stateTone(service) === 'bad' || (wanted(service) && healthTone(service.health) === 'bad'));

/** @param {any} node */
export const projectsOf = (node) => Object.entries(node.report?.projects ?? {});
/** @param {any} project */
export const servicesOf = (project) => Object.entries(project.services ?? {});

/**
 * @param {any} node
 * @param {number} now by the receiver's clock
 */
export function isSilent(node, now) {
  return node.reported === null || now - Date.parse(node.reported) > STALE_MS;
}

/**
 * What is under way with a project, as long as its phase is one of doing.
 * @param {any} node
 * @param {string} name
 * @param {number} now by the receiver's clock
 * @returns {any} null: nothing, or nothing that is known
 */
export function progressOf(node, name, now) {
  const found = node.progress.find((each) => each.project === name);
  return found && now - Date.parse(found.received) < PROGRESS_MS ? found : null;
}

// Of what a rollout or the operator causes for a while, nobody need be told.
const CALM_REASONS = new Set(['window', 'paused']);

function isProjectBad(project) {
  const { phase, converged, source, desired, reason } = project;
  if (describePhase(phase).tone === 'bad' || phase === 'ROLLING_BACK') return true;
  if (source === 'lost' || desired?.accepted === false) return true;
  if (reason && !CALM_REASONS.has(reason.code)) return true;
  if (isUnderWay(phase)) return false;
  return converged === false
    || servicesOf(project).some(([, service]) => isServiceBad(service));
}

/**
 * Whether a person should look at it.
 * @param {any} node
 * @param {number} now by the receiver's clock
 */
export function needsAttention(node, now) {
  return node.state === 'offline' || isSilent(node, now)
    || (node.report?.engine?.state ?? 'up') !== 'up'
    || projectsOf(node).some(([, project]) => isProjectBad(project));
}

/**
 * What has changed that is worth a word to who cannot see it; null where nothing is.
 * @param {any} before
 * @param {any} node
 */
export function describeChange(before, node) {
  if (before.state !== node.state) return `${node.node}: ${PRESENCE[node.state].text}`;
  for (const [name, project] of projectsOf(node)) {
    const { phase } = before.report?.projects?.[name] ?? {};
    const { text, tone } = describePhase(project.phase);
    if (phase !== project.phase && tone !== 'busy') return `${name} on ${node.node}: ${text}`;
  }
  return null;
}

/**
 * Whether the words occur in the node: its name, groups, projects, services and images.
 * @param {any} node
 * @param {string} words lower case
 */
export function matchesWords(node, words) {
  const texts = [node.node, ...(node.report?.groups ?? []).map((group) => group.name)];
  for (const [name, project] of projectsOf(node)) {
    texts.push(name);
    for (const [service, { image }] of servicesOf(project)) texts.push(service, image);
  }
  const text = texts.join('\n').toLowerCase();
  return words.split(/\s+/).every((word) => text.includes(word));
}
