import { getNamedType, isInputObjectType } from 'graphql';
import { withValue } from './bad-requests/inputs.js';
import { createSender } from './bad-requests/send.js';
import { allTextArguments, allTexts, type TextField, textsOf } from './bad-requests/texts.js';
import { place } from './harness/people.js';
import { contentsOf, stableContents } from './rights/contents.js';
import { api, fieldOf, publicRules } from './rights/graph.js';
import { type Arguments, samples } from './rights/samples.js';
import { createWorld, type World } from './rights/world.js';

const withoutText = ['', '  ', '\t\r\n', '\u00a0\u3000', '\u200b\u200d', '\u2060\ufeff', '\u00ad'];
const fillers = [
  '\u115f\u3164\uffa0',
  '\u2800',
  '\ufe0f',
  '\u{e0041}',
  '\u034f',
  '\u180e',
  '\u061c',
];
const blanks = [...withoutText, ...fillers];

/** The fields that are no texts, so that any characters count. */
const exceptions: ReadonlyMap<string, string> = new Map([
  ['ChangePasswordInput.currentPassword', 'a password'],
  ['ChangePasswordInput.newPassword', 'a password'],
  ['LoginInput.password', 'a password'],
  ['RegisterInput.password', 'a password'],
  ['VerifyOtpInput.newPassword', 'a password'],
  ...allTexts
    .filter((name) => name.endsWith('.challengeToken'))
    .map((name) => [name, 'a token, which is verified if there are challenges'] as const),
  ['ProductFilter.search', 'a search, which finds all products if it is blank'],
  ...allTexts
    .filter((name) => name.endsWith('.idempotencyKey'))
    .map((name) => [name, 'an idempotency key'] as const),
]);

/** The arguments of fields that are strings: none is a text that is stored. */
const expectedArguments: Readonly<Record<string, string>> = {
  after: 'a cursor',
  challengeToken: 'a token',
  currencyCode: 'is one of a table',
  email: 'is parsed',
  idempotencyKey: 'an idempotency key',
  refreshToken: 'a token',
  search: 'a search, which finds all if it is blank',
  sku: 'finds a variant, or nothing',
  skus: 'find variants, or nothing',
  slug: 'finds a shop or product, or nothing',
};

/** Parts of inputs that the samples leave out. */
const parts: Readonly<Record<string, object>> = {
  'Mutation.createWarehouse': { address: place },
  'Mutation.updateWarehouse': { address: place },
  'Mutation.createProduct': { variants: [{ sku: 'NEW-1', name: 'New' }], images: [] },
};

const operations = [...publicRules.keys()].filter(
  (name) =>
    /^(Query|Mutation)\./.test(name) &&
    fieldOf(api, name)?.args.some(({ type }) => isInputObjectType(getNamedType(type))),
);

describe('text without a visible character', () => {
  let world: World;
  let send: ReturnType<typeof createSender>;
  const good = new Map<string, Arguments>();
  const texts = new Map<string, TextField[]>();
  let before: Awaited<ReturnType<typeof contentsOf>>;
  beforeAll(async () => {
    world = await createWorld();
    send = createSender(world.system.url);
    for (const operation of operations) {
      const sample = { ...(await samples[operation]?.(world)) };
      const more = parts[operation];
      if (more) sample.input = { ...(sample.input as object), ...more };
      good.set(operation, sample);
      const found = textsOf(operation, sample).filter(({ name }) => !exceptions.has(name));
      texts.set(operation, found);
    }
    before = await stableContents(world.system.databases);
  });
  afterAll(() => world.stop());

  it.each(operations)('is refused in every text of %s', async (operation) => {
    const fields = texts.get(operation) ?? [];
    const cases = fields.flatMap(({ path }) => blanks.map((blank) => ({ path, blank })));
    const replies = await send.all(
      cases.map(({ path, blank }) => ({
        title: JSON.stringify(blank),
        ...send.requestFor(operation, withValue(good.get(operation) as Arguments, path, blank)),
        token: world.people.admin.token,
      })),
    );
    const problems = replies.map(({ errors }, at) => {
      const { code, fields: named } = errors?.[0]?.extensions ?? {};
      return [cases[at], code, Object.keys((named as object | undefined) ?? {})];
    });
    expect(problems).toEqual(
      cases.map((each) => [each, 'BAD_USER_INPUT', [fieldPathOf(each.path)]]),
    );
  });

  it('changes nothing', async () => {
    expect(await contentsOf(world.system.databases)).toEqual(before);
  });

  it('is refused in every text of every input of the API, with exceptions that are listed', () => {
    const tested = [...texts.values()].flat().map(({ name }) => name);
    expect([...new Set([...tested, ...exceptions.keys()])].sort()).toEqual(allTexts.toSorted());
  });

  it('is in no argument of a field that would be stored', () => {
    expect([...allTextArguments].sort()).toEqual(Object.keys(expectedArguments));
  });
});

/** As errors name it: `input.lines[0].sku`; a list of texts as a whole. */
function fieldPathOf(path: TextField['path']): string {
  const inList = typeof path.at(-1) === 'number' ? path.slice(0, -1) : path;
  return inList
    .slice(1)
    .reduce<string>(
      (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${key}`),
      'input',
    );
}
