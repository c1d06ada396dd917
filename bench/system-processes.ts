import { isPortFree } from '../dev/databases/server-process.js';
import { environments, noHoldLimits, type Ports, portsFrom } from '../dev/environment.js';
import { type RunningProcess, startProgram } from '../dev/processes.js';
import { programs } from '../dev/programs.js';
import type { DatabaseUrls } from '../ops/databases/urls.js';
import { makeSecrets } from '../ops/secrets/secrets.js';

const firstPort = 21_000;
const portsStep = 100;
const portsAttemptsMax = 20;
// As in production: elsewhere graphql-js, for example, does additional checks.
const productionSettings = {
  NODE_ENV: 'production',
  LOG_LEVEL: 'warn',
  RATE_LIMIT_PROFILE: 'bench',
  // Required in production; a benchmark sends no messages.
  SMS_GATEWAY_URL: 'http://127.0.0.1:9',
  SMS_ACCOUNT_SID: 'none',
  SMS_AUTH_TOKEN: 'none-at-all-of-it',
  SMS_FROM: '+12025550100',
  SMTP_URL: 'smtp://127.0.0.1:9',
  PAYMENT_PROVIDER: 'sandbox',
  // The limits are decided for each order; few customers of a benchmark stand for many.
  ...noHoldLimits,
  // The sandbox has no limit.
  PAYMENT_REQUESTS_PER_SECOND: '0',
};

const isBelowWarning = /^{"level":[123]0,/;

type Name = keyof typeof programs;
const printWarnings = (_name: Name, line: string) => {
  if (!isBelowWarning.test(line)) process.stderr.write(`${line}\n`);
};

/** Ports that no other system of this machine uses. */
async function freePorts(): Promise<Ports> {
  for (let attempt = 0; attempt < portsAttemptsMax; attempt++) {
    const ports = portsFrom(firstPort + attempt * portsStep);
    const used = [...Object.values(ports.ports), ...Object.values(ports.ops), ports.sandbox];
    const free = await Promise.all(used.map(isPortFree));
    if (!free.includes(false)) return ports;
  }
  throw new Error(`All ports from ${firstPort} on are in use.`);
}

/**
 * Starts the whole system, each part as a process, with raised limits.
 *
 * @param settings of all processes
 * @param onLine called with each line of a log; prints warnings and errors unless it is given
 */
export async function startSystemProcesses(
  databases: DatabaseUrls,
  redisUrl: string,
  settings: Readonly<Record<string, string>> = {},
  onLine: (name: Name, line: string) => void = printWarnings,
) {
  const ports = await freePorts();
  const secrets = await makeSecrets();
  const envs = environments({ databases, redisUrl, ports, secrets });
  const names = Object.keys(programs) as Name[];
  const running = {} as Record<Name, RunningProcess>;
  const processIds = {} as Record<Name, number>;
  const start = async (name: Name) => {
    const env = { ...process.env, ...productionSettings, ...settings, ...envs[name] };
    running[name] = await startProgram(name, env, (line) => onLine(name, line));
    processIds[name] = running[name].child.pid as number;
  };
  await Promise.all(names.map(start));
  return {
    /** the environment of each process */
    environments: envs,
    secrets,
    routerUrl: `http://127.0.0.1:${ports.ports.router}`,
    processIds: processIds as Readonly<Record<Name, number>>,
    metricsUrl: (name: keyof typeof ports.ops) => `http://127.0.0.1:${ports.ops[name]}/metrics`,
    /** Stops a process as a deployment does, and starts another in its place. */
    async replace(name: Name) {
      await running[name].stop();
      await start(name);
    },
    stop: () => Promise.all(Object.values(running).map((each) => each.stop())),
  };
}
export type SystemProcesses = Awaited<ReturnType<typeof startSystemProcesses>>;
