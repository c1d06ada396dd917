import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { logIn } from '../../session/log-in.js';
import type { DemoAccount } from '../../settings/config.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { useLogIn } from './use-log-in.js';

/** One click for each account of the demo store, in development. */
export function DemoAccounts({ accounts }: { readonly accounts: readonly DemoAccount[] }) {
  const { run, isBusy, error, refusal } = useLogIn(logIn);
  return (
    <section class="panel stack" aria-labelledby="demo">
      <h2 id="demo">Accounts of the demo store</h2>
      <p class="faint">This is a development system: one click logs in.</p>
      <ul class="demo-accounts">
        {accounts.map(({ name, role, identifier, password }) => (
          <li key={identifier}>
            <Button isBusy={isBusy.value} onClick={() => void run({ identifier, password })}>
              <span>{name}</span>
              <span class="faint">{role.toLowerCase()}</span>
            </Button>
          </li>
        ))}
      </ul>
      <RefusalNotice refusal={refusal.value} />
      <ErrorNotice error={error.value} failed="log-in" />
    </section>
  );
}
