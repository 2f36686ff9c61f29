// Opens a page in Chromium at phone and desk width, in light and in dark, and measures it.
//
// Arguments: the path of an HTML file. COUNTERSIGN_CHROMIUM names the browser, `chromium` unless set.
// Standard output: {"views": [{"width", "scheme", "overflow", "contrast", "faintest", "requests", "problems"}, …]}:
// by how many pixels the page is wider than the window, the least contrast of its texts and the text that has it, the
// URLs that were asked for besides the page, and what the browser logged.
//
// The DevTools protocol runs over a pipe, so that no package and no port is needed.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const PAGE = pathToFileURL(path.resolve(process.argv[2])).href;
const VIEWS = [390, 1280].flatMap((width) => ['light', 'dark'].map((scheme) => ({ width, scheme })));

const profile = mkdtempSync(path.join(tmpdir(), 'countersign-chromium-'));
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
flags.push('--disable-background-networking', '--disable-component-update', '--disable-sync');
flags.push('--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank');
const program = process.env.COUNTERSIGN_CHROMIUM ?? 'chromium';
const browser = spawn(program, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
browser.on('error', fail);

const waiting = new Map();
let events = [];
let last = 0;
let rest = '';
browser.stdio[4].setEncoding('utf8').on('data', (text) => {
  const messages = (rest + text).split('\0');
  rest = messages.pop();
  for (const message of messages.map((each) => JSON.parse(each))) {
    if (message.id === undefined) events.push(message);
    else waiting.get(message.id)?.(message);
  }
});

/** Sends a command and returns its result. */
function command(method, params = {}, sessionId = undefined) {
  last += 1;
  const id = last;
  return new Promise((resolve, reject) => {
    waiting.set(id, ({ error, result }) => (error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result)));
    browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  });
}

/** Runs in the page: its overflow, and the least contrast of a text with its background. */
function measure() {
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) =>
    0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const color = (text) => (text.match(/[\d.]+/g) ?? ['0', '0', '0', '0']).map(Number);
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = color(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] === 1) return found;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
  };
  let contrast = 21;
  let faintest = '';
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (!text.data.trim()) continue;
    const pair = [color(getComputedStyle(text.parentElement).color), background(text.parentElement)];
    const [dark, light] = pair.map(luminance).sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < contrast) [contrast, faintest] = [ratio, text.data.trim().slice(0, 40)];
  }
  return JSON.stringify({ overflow: document.documentElement.scrollWidth - innerWidth, contrast, faintest });
}

async function view({ width, scheme }) {
  const { targetId } = await command('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await command('Target.attachToTarget', { targetId, flatten: true });
  const on = (method, params) => command(method, params, sessionId);
  const size = { width, height: 844, deviceScaleFactor: 1, mobile: width < 600 };
  await on('Emulation.setDeviceMetricsOverride', size);
  const features = [{ name: 'prefers-color-scheme', value: scheme }];
  await on('Emulation.setEmulatedMedia', { features });
  for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await on(`${domain}.enable`);
  events = [];
  await on('Page.navigate', { url: PAGE });
  while (!events.some(({ method }) => method === 'Page.loadEventFired')) await sleep(20);
  // What a page asks for late, such as an icon.
  await sleep(200);
  const { result } = await on('Runtime.evaluate', { expression: `(${measure})()` });
  const named = (name) => events.filter(({ method }) => method === name).map(({ params }) => params);
  const urls = named('Network.requestWillBeSent').map(({ request }) => request.url);
  const requests = urls.filter((url) => url !== PAGE && !url.startsWith('data:'));
  const problems = named('Log.entryAdded').map(({ entry }) => entry.text);
  await command('Target.closeTarget', { targetId });
  return { width, scheme, ...JSON.parse(result.value), requests, problems };
}

function sleep(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

function fail(error) {
  console.error(error);
  end(1);
}

function end(code) {
  browser.kill();
  browser.on('exit', () => {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    process.exit(code);
  });
}

setTimeout(() => fail(new Error('no answer of the browser')), 60_000).unref();
try {
  const views = [];
  for (const each of VIEWS) views.push(await view(each));
  process.stdout.write(`${JSON.stringify({ views })}\n`, () => end(0));
} catch (error) {
  fail(error);
}
