import { AccountDocument } from '../../graph/operations.js';
import { SignedIn } from '../../session/signed-in.jsx';
import { useQuery } from '../../session/use-query.js';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { Loading } from '../../ui/loading.jsx';
import { Page } from '../../ui/page.jsx';
import { Addresses } from './addresses.jsx';
import { ChangePasswordForm } from './password-form.jsx';
import { ProfileForm } from './profile-form.jsx';
import { Sessions } from './sessions.jsx';

/** Profile, addresses, password and sessions of the signed-in user. */
export function AccountPage() {
  return (
    <SignedIn title="Account">
      <Account />
    </SignedIn>
  );
}

function Account() {
  const { data, error, reload } = useQuery(AccountDocument, {});
  const me = data.value?.me;
  return (
    <Page title="Account">
      <ErrorNotice error={error.value} retry={reload} />
      {!me && !error.value && <Loading label="Loading the account …" />}
      {me && (
        <div class="split split-even">
          <div class="stack">
            <ProfileForm profile={me} />
            <Addresses addresses={me.addresses} onChange={reload} />
          </div>
          <div class="stack">
            <Sessions sessions={me.sessions} onChange={reload} />
            <ChangePasswordForm />
          </div>
        </div>
      )}
    </Page>
  );
}
