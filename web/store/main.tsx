import { render } from 'preact';
import { App } from './app.jsx';
import { loadConfig } from './config.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/products.css';
import './styles/orders.css';

/** The router of the page would fail at an address such as `/products/%`. */
function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

if (!isDecodable(window.location.pathname)) history.replaceState(null, '', '/not-found');
await loadConfig();
const root = document.getElementById('store');
if (!root) throw new Error('The page has no element with the id "store".');
render(<App />, root);
