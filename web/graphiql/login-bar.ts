import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { createElement as h, useMemo, useSyncExternalStore } from 'react';
import type { Session, SessionStore } from './session.js';

/** An example operation, from the router. */
export interface Example {
  readonly query: string;
  readonly variables: string;
}

interface Props {
  readonly sessions: SessionStore;
  /** opens a session */
  readonly login: Example | undefined;
}

const nameOf = ({ name, role }: Session) => [name, role && `(${role})`].filter(Boolean).join(' ');

/** The line above the response: who is logged in, and what to do if the response shown was refused. */
export function LoginBar({ sessions, login }: Props) {
  const session = useSyncExternalStore(sessions.subscribe, sessions.current);
  const wasRefused = useSyncExternalStore(sessions.subscribe, sessions.wasRefused);
  const { response, headers } = useGraphiQL(({ tabs, activeTabIndex }) => {
    const { response, headers } = tabs[activeTabIndex] ?? {};
    return { response, headers };
  });
  const refusal = useMemo(() => refusalIn(response), [response]);
  const { run } = useGraphiQLActions();
  const openLogin = useOpenLogin(login);

  const button = (label: string, onClick: () => void) =>
    h('button', { type: 'button', onClick }, label);
  const toLogin = login && button('Open the tab Login', openLogin);
  const notice = (text: string, ...buttons: unknown[]) =>
    h('div', { className: 'login-notice' }, h('span', null, text), ...(buttons as [])) as unknown;

  let shown: unknown = null;
  if (refusal === 'UNAUTHENTICATED' && /authorization/i.test(headers ?? '')) {
    shown = notice(
      'The Authorization header of this tab was refused. Delete it under Headers, and run the tab ' +
        'Login: this page then sends the token of that log-in.',
      toLogin,
    );
  } else if (refusal === 'UNAUTHENTICATED' && session) {
    shown = notice('You are logged in now.', button('Run this operation again', run));
  } else if (refusal === 'UNAUTHENTICATED' && wasRefused) {
    shown = notice(
      'Your log-in has expired. Run the tab Login again, or run this operation again without it.',
      toLogin,
      button('Run this operation again', run),
    );
  } else if (refusal === 'UNAUTHENTICATED') {
    shown = notice(
      'This operation needs a log-in. Run the tab Login, then this operation again.',
      toLogin,
    );
  } else if (refusal === 'FORBIDDEN') {
    shown = notice('This operation needs another account. The tab Login lists them.', toLogin);
  }
  return h(
    'div',
    { role: 'status' },
    session &&
      h(
        'div',
        { className: 'login-state' },
        h('span', null, `Logged in${nameOf(session) && ` as ${nameOf(session)}`}`),
        button('Forget this log-in', sessions.forget),
      ),
    shown as null,
  );
}

type Refusal = 'UNAUTHENTICATED' | 'FORBIDDEN';

/** @param response JSON, as the tab shows it */
function refusalIn(response: string | null | undefined): Refusal | undefined {
  // Most responses are not parsed: they may be long, and come with each event.
  if (!response || !/"(UNAUTHENTICATED|FORBIDDEN)"/.test(response)) return undefined;
  try {
    const { errors = [] } = JSON.parse(response) as {
      errors?: ReadonlyArray<{ extensions?: { code?: unknown } }>;
    };
    const codes = errors.map(({ extensions }) => extensions?.code);
    return (['UNAUTHENTICATED', 'FORBIDDEN'] as const).find((code) => codes.includes(code));
  } catch {
    return undefined;
  }
}

/** Opens the tab Login, in a new tab if it was closed. */
function useOpenLogin(login: Example | undefined) {
  const { addTab, changeTab } = useGraphiQLActions();
  const { tabs, queryEditor, variableEditor } = useGraphiQL(
    ({ tabs, queryEditor, variableEditor }) => ({ tabs, queryEditor, variableEditor }),
  );
  return () => {
    const index = tabs.findIndex(({ title }) => title === 'Login');
    if (index >= 0) return changeTab(index);
    addTab();
    queryEditor?.setValue(login?.query ?? '');
    variableEditor?.setValue(login?.variables ?? '');
  };
}
