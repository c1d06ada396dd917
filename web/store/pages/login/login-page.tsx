import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { currentUser } from '../../session/stored-session.js';
import { hasSessionEnded } from '../../session/tokens.js';
import { config } from '../../settings/config.js';
import { isDecodable } from '../../ui/format.js';
import { Notice } from '../../ui/notice.jsx';
import { Page } from '../../ui/page.jsx';
import { DemoAccounts } from './demo-accounts.jsx';
import { PasswordForm } from './password-form.jsx';
import { PhoneForm } from './phone-form.jsx';
import { RegisterForm } from './register-form.jsx';

const ways = {
  password: 'Password',
  phone: 'Code by SMS',
  register: 'New account',
} as const;
type Way = keyof typeof ways;

/** A page of this store; anything else leads to the list. */
function pageAfter(next = '/'): string {
  const { origin } = window.location;
  if (!URL.canParse(next, origin)) return '/';
  const { origin: given, pathname, search } = new URL(next, origin);
  const isPage = given === origin && isDecodable(pathname) && pathname !== '/login';
  return isPage ? `${pathname}${search}` : '/';
}

/** Logs in, or opens an account, then goes back to where the visitor came from. */
export function LoginPage() {
  const { query, route } = useLocation();
  const way = useSignal<Way>('password');
  const isLoggedIn = currentUser.value !== null;
  const next = pageAfter(query.next);
  useEffect(() => {
    if (isLoggedIn) route(next, true);
  }, [isLoggedIn, next]);
  return (
    <Page title="Log in">
      {hasSessionEnded.value && (
        <Notice tone="warning">
          <p>Your session has ended. Log in again to continue.</p>
        </Notice>
      )}
      <div class="split split-even">
        <section class="panel stack" aria-label="Log in">
          <fieldset class="tabs">
            <legend class="visually-hidden">Way to log in</legend>
            {(Object.entries(ways) as [Way, string][]).map(([value, name]) => (
              <label class="tab" key={value}>
                <input
                  type="radio"
                  name="way"
                  checked={way.value === value}
                  onChange={() => {
                    way.value = value;
                  }}
                />
                <span>{name}</span>
              </label>
            ))}
          </fieldset>
          {way.value === 'password' && <PasswordForm />}
          {way.value === 'phone' && <PhoneForm />}
          {way.value === 'register' && <RegisterForm />}
        </section>
        {config.value.accounts.length > 0 && <DemoAccounts accounts={config.value.accounts} />}
      </div>
    </Page>
  );
}
