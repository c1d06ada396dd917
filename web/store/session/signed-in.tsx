import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso';
import { Empty, Page } from '../ui/page.jsx';
import { currentUser } from './stored-session.js';
import { hasSessionEnded } from './tokens.js';

interface SignedInProps {
  /** of the page */
  readonly title: string;
  readonly children: ComponentChildren;
}

/** Shows its children to a signed-in user, and the way to log in to others. */
export function SignedIn({ title, children }: SignedInProps) {
  const { url } = useLocation();
  const user = currentUser.value;
  // What one user has loaded is not for the next one.
  if (user) return <div key={user.id}>{children}</div>;
  const text = hasSessionEnded.value
    ? 'Your session has ended. Log in again to continue.'
    : 'Log in to see this page.';
  return (
    <Page title={title}>
      <Empty title={text}>
        <a class="button button-primary" href={`/login?next=${encodeURIComponent(url)}`}>
          Log in
        </a>
      </Empty>
    </Page>
  );
}
