import { databaseSchema } from '../../subgraphs/order/mikro-orm.config.js';
import { reconcileDay } from '../../subgraphs/order/payment/reconciliation/reconcile-day.js';
import { connect, disconnect } from '../../subgraphs/shared/database/connect.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { type OrderSystem, orderSystemToUse } from './order-system.js';
import { dayToReconcile, report, UsageError } from './reconcile.js';

const exitCodes = { differences: 1, wrongUsage: 2, failed: 3 };

/**
 * `npm run reconcile` compares the payments, refunds and disputes of yesterday with each payment provider, and
 * settles what differs as the worker of the order subgraph does; `npm run reconcile -- 2026-11-20` those of
 * that day, in UTC. The reconciliations of the worker go on as if it had not run. In the image of the order
 * subgraph: `node dist/ops/reconcile/index.js`.
 */
async function main(args: readonly string[]): Promise<void> {
  try {
    const day = dayToReconcile(args);
    const system = orderSystemToUse();
    for await (const { provider, differences } of reconcileWith(system, day)) {
      console.log(report(provider, day, differences));
      if (differences.length > 0) process.exitCode = exitCodes.differences;
    }
  } catch (error) {
    console.error((error as Error).message);
    const isUsage = error instanceof UsageError;
    process.exitCode = isUsage ? exitCodes.wrongUsage : exitCodes.failed;
  }
}

/** The differences from each configured provider. */
async function* reconcileWith({ databaseUrl, providers }: OrderSystem, day: string) {
  const logger = createLogger('reconcile', 'silent');
  const settings = { name: 'reconcile', url: databaseUrl, poolMax: 1 };
  const orm = await connect(settings, databaseSchema);
  try {
    for (const provider of providers.all) {
      const differences = await reconcileDay({ orm, provider, logger }, day);
      yield { provider: provider.name, differences };
    }
  } finally {
    await disconnect(orm);
    await providers.close();
  }
}

await main(process.argv.slice(2));
