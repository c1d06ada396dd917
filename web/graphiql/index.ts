import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import './page.css';
import './workers.js';

/** An operation to begin with, as the router tells them. */
interface Example {
  readonly query: string;
  readonly variables: string;
  readonly headers: string;
}

const page = document.getElementById('explorer');
if (!page) throw new Error('The page has no place for GraphiQL.');

const endpoint = new URL('/graphql', window.location.href);
const socket = new URL(endpoint);
socket.protocol = socket.protocol.replace('http', 'ws');

// The headers of the editor go along as connectionParams, which is where graphql-ws has the token.
const fetcher = createGraphiQLFetcher({ url: endpoint.href, subscriptionUrl: socket.href });

const examples = (await (await fetch('/graphiql/examples.json')).json()) as Example[];
createRoot(page).render(
  createElement(GraphiQL, {
    fetcher,
    defaultTabs: examples,
    defaultEditorToolsVisibility: 'variables',
  }),
);
