import { isTooLarge } from '../../subgraphs/shared/http/post.js';
import { telemetry } from '../../subgraphs/shared/observability/telemetry/telemetry.js';
import type { TraceIds } from '../../subgraphs/shared/observability/telemetry/types.js';
import type { RouterContext } from '../context.js';
import { copyOf } from '../json-objects.js';
import type { SubgraphError, SubgraphRequest, SubgraphResponse } from './subgraph-service.js';

// A larger request of one operation is sent alone.
const entitiesMax = 500;
const representationsMaxChars = 256 * 1024;
// So many requests are sent however soon they follow others.
const membersEnough = 32;
// Codes of limits of a subgraph, which one member may exceed, or all of them together.
const refusals = ['BAD_USER_INPUT', 'BAD_REQUEST', 'GRAPHQL_VALIDATION_FAILED'];

/** One request for the entities of several operations or events. */
export interface EntityBatch {
  readonly body: string;
  /** of one of its members; without a token if what it selects is public */
  readonly context: RouterContext;
  readonly isOfQuery: boolean;
  /** whether no member has a token: then it may join an equal request in flight */
  readonly isAnonymous: boolean;
  /** of the member that can wait longest, by `performance.now()` */
  readonly deadlineMs: number;
}

/** @returns the text of the response */
export type SendBatch = (batch: EntityBatch) => Promise<string>;

interface Member {
  readonly request: SubgraphRequest;
  /** of each of its representations, the place in the batch */
  readonly places: readonly number[];
  readonly trace: TraceIds | undefined;
  resolve(response: SubgraphResponse): void;
  reject(error: unknown): void;
}

type Outcome = { readonly response: SubgraphResponse } | { readonly error: unknown };

interface Gathered {
  readonly places: Map<string, number>;
  readonly members: Member[];
  chars: number;
  /** at the end of this turn */
  isLeaving: boolean;
}

/**
 * Gathers requests for entities until the end of a turn of the event loop, or for longer, and sends those with the
 * same selection, variables and identity as one, each representation once. Each member has its own deadline, which
 * its caller keeps, and its own paths of errors; one that no longer waits aborts nothing. Members that are refused
 * together, or whose response is too large together, are sent singly.
 */
export class EntityBatches {
  readonly #gathered = new Map<string, Gathered>();
  /** by the key of a batch that was sent less than `intervalMs` ago */
  readonly #resting = new Map<string, NodeJS.Timeout>();

  /**
   * @param intervalMs after a batch, the next one with the same key is gathered for this long, or until it has 32
   *   requests
   */
  constructor(
    private readonly send: SendBatch,
    private readonly intervalMs = 0,
  ) {}

  /** Number of batches that are still gathered. */
  get size(): number {
    return this.#gathered.size;
  }

  /** @throws what `send` throws */
  request(request: SubgraphRequest): Promise<SubgraphResponse> {
    return new Promise((resolve, reject) => {
      const key = keyOf(request);
      const representations = request.representations as readonly string[];
      const chars = representations.reduce((sum, { length }) => sum + length, 0);
      let batch = this.#gathered.get(key);
      if (batch && !hasRoom(batch, representations.length, chars)) {
        this.#flush(key, batch);
        batch = undefined;
      }
      if (!batch) {
        batch = { places: new Map(), members: [], chars: 0, isLeaving: false };
        this.#gathered.set(key, batch);
      }
      batch.chars += chars;
      const places = batch.places;
      const own = representations.map((each) => placeOf(places, each));
      batch.members.push({ request, places: own, trace: telemetry()?.ids(), resolve, reject });
      const isEarly = this.#resting.has(key) && batch.members.length < membersEnough;
      if (!isEarly) this.#flushAfterTurn(key, batch);
    });
  }

  /** A turn handles all requests and responses that have arrived by now. */
  #flushAfterTurn(key: string, batch: Gathered): void {
    if (batch.isLeaving) return;
    batch.isLeaving = true;
    setImmediate(() => this.#flush(key, batch));
  }

  #flush(key: string, batch: Gathered): void {
    if (this.#gathered.get(key) !== batch) return;
    this.#gathered.delete(key);
    this.#rest(key);
    void this.#send([...batch.places.keys()], batch.members, batch.members.length > 1);
  }

  #rest(key: string): void {
    if (this.intervalMs === 0) return;
    clearTimeout(this.#resting.get(key));
    const end = () => {
      this.#resting.delete(key);
      const batch = this.#gathered.get(key);
      if (batch) this.#flush(key, batch);
    };
    this.#resting.set(key, setTimeout(end, this.intervalMs));
  }

  async #send(
    representations: readonly string[],
    members: readonly Member[],
    isInSpanOfItsOwn: boolean,
  ): Promise<void> {
    const work = () => this.send(requestOf(representations, members));
    let outcomes: readonly Outcome[];
    try {
      const text = await (isInSpanOfItsOwn ? inLinkedSpan(members, work) : work());
      const responses = responsesOf(members, representations.length, text);
      outcomes = responses.map((response) => ({ response }));
    } catch (error) {
      outcomes = members.map(() => ({ error }));
    }
    const refused = members.filter((_, n) => isRefusal(outcomes[n] as Outcome));
    const repeated = new Set(hasUnlike(members) ? refused.filter(hasTime) : []);
    for (const [n, member] of members.entries()) {
      if (!repeated.has(member)) settle(member, outcomes[n] as Outcome);
    }
    this.#sendSingly([...repeated]);
  }

  /** Of members with the same entities, one request is sent for all. */
  #sendSingly(members: readonly Member[]): void {
    for (const alike of Map.groupBy(members, entitiesOf).values()) {
      const representations = alike[0]?.request.representations as readonly string[];
      const places = representations.map((_, n) => n);
      void this.#send(
        representations,
        alike.map((each) => ({ ...each, places })),
        true,
      );
    }
  }
}

function requestOf(representations: readonly string[], members: readonly Member[]): EntityBatch {
  const [{ request }] = members as [Member];
  const { head, tail, isPublic, isOfQuery, context } = request;
  return {
    body: `${head}${representations.join(',')}${tail}`,
    context: isPublic ? { ...context, authorization: undefined } : context,
    isOfQuery,
    isAnonymous: members.every((each) => each.request.context.authorization === undefined),
    deadlineMs: Math.max(...members.map((each) => deadlineOf(each.request))),
  };
}

const deadlineOf = ({ context: { deadlineMs = Number.POSITIVE_INFINITY } }: SubgraphRequest) =>
  deadlineMs;

/** What is read behind a mutation is not sent with what queries read. */
function keyOf({ head, tail, role, isOfQuery, isPublic, context }: SubgraphRequest): string {
  const identity = isPublic ? '' : (context.authorization ?? '');
  return `${role} ${isOfQuery} ${identity}\n${tail}\n${head}`;
}

const hasRoom = ({ places, chars }: Gathered, entities: number, more: number): boolean =>
  places.size + entities <= entitiesMax && chars + more <= representationsMaxChars;

function placeOf(places: Map<string, number>, representation: string): number {
  const known = places.get(representation);
  if (known !== undefined) return known;
  places.set(representation, places.size);
  return places.size - 1;
}

/** The request belongs to the traces of all members: a trace of its own, with links to them. */
function inLinkedSpan(members: readonly Member[], work: () => Promise<string>): Promise<string> {
  const links = members.flatMap(({ trace }) => trace ?? []);
  return telemetry()?.inSpan('entities', work, links) ?? work();
}

/** @throws Error if it has other entities than were requested */
function responsesOf(members: readonly Member[], count: number, text: string): SubgraphResponse[] {
  const { data, errors } = JSON.parse(text) as SubgraphResponse & {
    data?: { _entities?: unknown };
  };
  const entities = data?._entities;
  if (!Array.isArray(entities))
    return members.map(() => ({ data: null, ...(errors && { errors }) }));
  if (entities.length !== count) throw new Error('it answered with other entities');
  const isTaken: boolean[] = [];
  // Members merge later responses into what they receive.
  const take = (place: number): unknown => {
    if (isTaken[place]) return copyOf(entities[place]);
    isTaken[place] = true;
    return entities[place];
  };
  return members.map(({ places }) => {
    const own = errors?.flatMap((error) => errorOf(error, places));
    const response = { data: { _entities: places.map(take) } };
    return own?.length ? { ...response, errors: own } : response;
  });
}

/** The error with the position that the entity has for a member; none if it is of an entity of others. */
function errorOf(error: SubgraphError, places: readonly number[]): SubgraphError[] {
  const [root, place, ...rest] = error.path ?? [];
  if (typeof place !== 'number') return [error];
  const position = places.indexOf(place);
  return position < 0 ? [] : [{ ...error, path: [root as string, position, ...rest] }];
}

/** Whether a request may be refused for its size, which is the sum of those of its members. */
function isRefusal(outcome: Outcome): boolean {
  if ('error' in outcome) return isTooLarge(outcome.error);
  const codes = (outcome.response.errors ?? []).map(({ extensions }) => extensions?.code);
  return codes.some((code) => refusals.includes(code as string));
}

const entitiesOf = ({ places }: Member): string => places.join();

const hasUnlike = (members: readonly Member[]): boolean =>
  members.some((each) => entitiesOf(each) !== entitiesOf(members[0] as Member));

const hasTime = ({ request }: Member): boolean => deadlineOf(request) > performance.now();

function settle({ resolve, reject }: Member, outcome: Outcome): void {
  if ('error' in outcome) reject(outcome.error);
  else resolve(outcome.response);
}
