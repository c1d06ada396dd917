import { environments, portsFrom } from '../dev/environment.js';
import { type RunningProcess, startProgram } from '../dev/processes.js';
import { programs } from '../dev/programs.js';
import type { DatabaseUrls } from '../ops/databases/urls.js';
import { makeSecrets } from '../ops/secrets/secrets.js';

const firstPort = 21_000;
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
};

const isBelowWarning = /^{"level":[123]0,/;

/**
 * Starts the whole system, each part as a process, with raised limits.
 *
 * @param settings of all processes; log lines below warning are not printed
 */
export async function startSystemProcesses(
  databases: DatabaseUrls,
  redisUrl: string,
  settings: Readonly<Record<string, string>> = {},
) {
  const ports = portsFrom(firstPort);
  const secrets = await makeSecrets();
  const envs = environments({ databases, redisUrl, ports, secrets });
  const names = Object.keys(programs) as (keyof typeof programs)[];
  const running = await Promise.all(
    names.map((name) =>
      startProgram(
        name,
        { ...process.env, ...productionSettings, ...settings, ...envs[name] },
        (line) => {
          if (!isBelowWarning.test(line)) process.stderr.write(`${line}\n`);
        },
      ),
    ),
  );
  return {
    /** the environment of each process */
    environments: envs,
    secrets,
    routerUrl: `http://127.0.0.1:${ports.ports.router}`,
    processIds: Object.fromEntries(
      names.map((name, at) => [name, running[at]?.child.pid as number]),
    ) as Record<keyof typeof programs, number>,
    stop: () => Promise.all(running.map((each: RunningProcess) => each.stop())),
  };
}
export type SystemProcesses = Awaited<ReturnType<typeof startSystemProcesses>>;
