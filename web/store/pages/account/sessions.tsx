import { forgetPendingActions, useAction } from '../../actions/use-action.js';
import { type AccountQuery, EndSessionDocument } from '../../graph/operations.js';
import { logOut } from '../../session/log-out.js';
import { request } from '../../session/request.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { formatTime } from '../../ui/format.js';

type SessionPage = NonNullable<AccountQuery['me']>['sessions'];
type OpenSession = SessionPage['edges'][number]['node'];

interface SessionsProps {
  readonly sessions: SessionPage;
  onChange(): Promise<void>;
}

/** Where the user is logged in; others can be ended. */
export function Sessions({ sessions, onChange }: SessionsProps) {
  const leave = useAction('logout', async (input: { everywhere: boolean }) => {
    const hasEnded = await logOut(input);
    forgetPendingActions();
    return hasEnded;
  });
  const { edges, pageInfo } = sessions;
  return (
    <section class="panel stack" aria-labelledby="sessions">
      <h2 id="sessions">Sessions</h2>
      <ul class="entries">
        {edges.map(({ node }) => (
          <SessionEntry session={node} key={node.id} onChange={onChange} />
        ))}
      </ul>
      {pageInfo.hasNextPage && <p class="faint">Older ones are not shown.</p>}
      <div class="row">
        <Button isBusy={leave.isBusy.value} onClick={() => void leave.run({ everywhere: false })}>
          Log out
        </Button>
        <Button
          look="quiet"
          isBusy={leave.isBusy.value}
          onClick={() => void leave.run({ everywhere: true })}
        >
          Log out everywhere
        </Button>
      </div>
      <ErrorNotice error={leave.error.value} />
    </section>
  );
}

interface SessionEntryProps {
  readonly session: OpenSession;
  onChange(): Promise<void>;
}

function SessionEntry({ session, onChange }: SessionEntryProps) {
  const { id, createdAt, lastUsedAt, isCurrent } = session;
  const end = useAction('endSession', async (input: { id: string }) => {
    return (await request(EndSessionDocument, input)).endSession;
  });
  return (
    <li>
      <p>
        Logged in {formatTime(createdAt)}
        {isCurrent && <span class="badge badge-good">This one</span>}
      </p>
      <p class="faint">Last used {formatTime(lastUsedAt)}</p>
      {!isCurrent && (
        <Button
          small
          label={`End the session of ${formatTime(createdAt)}`}
          isBusy={end.isBusy.value}
          onClick={async () => {
            if (await end.run({ id })) await onChange();
          }}
        >
          End
        </Button>
      )}
      <ErrorNotice error={end.error.value} />
    </li>
  );
}
