import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { EditorOptions } from './editors.js';
import { createFetcher } from './fetcher.js';
import { type Example, LoginBar } from './login-bar.js';
import './page.css';
import { createSessionStore } from './session.js';
import './workers.js';

const page = document.getElementById('explorer');
if (!page) throw new Error('The page has no element with the id "explorer".');

const endpoint = new URL('/graphql', window.location.href);
const socket = new URL(endpoint);
socket.protocol = socket.protocol.replace('http', 'ws');

const examples = (await (await fetch('/graphiql/examples.json')).json()) as Example[];
const login = examples.find(({ query }) => /^mutation Login\b/m.test(query));
const sessions = createSessionStore();
createRoot(page).render(
  createElement(
    GraphiQL,
    {
      fetcher: createFetcher(endpoint.href, socket.href, sessions),
      defaultTabs: examples,
      defaultEditorToolsVisibility: 'variables',
    },
    createElement(GraphiQL.Footer, null, createElement(LoginBar, { sessions, login })),
    createElement(EditorOptions),
  ),
);
