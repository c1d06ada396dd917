import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  visit,
} from 'graphql';

/** Name of the extension of a subscription field whose resolver does not read its arguments. */
export const resolvesWithoutArguments = 'resolvesWithoutArguments';

// Some 2 ms: requests are not delayed longer by the events of a snapshot.
const eventsPerTurn = 20;

/**
 * `subscribe` of graphql-js for a process with many events: arguments that only choose the events are not coerced
 * and validated again for each event, and other work gets a turn between few events.
 */
export async function subscribe(
  args: ExecutionArgs,
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  if (!(Symbol.asyncIterator in source)) return source;
  const document = withoutRootArguments(args.schema, args.document, args.operationName);
  const ofEvent = { ...args, document };
  return mapEvents(source, (rootValue) => execute({ ...ofEvent, rootValue }));
}

/** The operation that is executed for each event: without the arguments and variables that it does not need. */
export function withoutRootArguments(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): DocumentNode {
  const operation = getOperationAST(document, operationName);
  const fields = schema.getSubscriptionType()?.getFields() ?? {};
  const [root, ...others] = operation?.selectionSet.selections ?? [];
  if (!operation || others.length > 0 || root?.kind !== Kind.FIELD) return document;
  if (!fields[root.name.value]?.extensions[resolvesWithoutArguments]) return document;
  const stripped: SelectionNode = { ...root, arguments: [] };
  const selectionSet = { ...operation.selectionSet, selections: [stripped] };
  const definitions = document.definitions.map((each) =>
    each === operation ? { ...operation, selectionSet } : each,
  );
  return withoutUnusedVariables({ ...document, definitions });
}

function withoutUnusedVariables(document: DocumentNode): DocumentNode {
  const used = new Set<string>();
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void used.add(name.value),
  });
  return visit(document, {
    OperationDefinition: (operation): OperationDefinitionNode => ({
      ...operation,
      variableDefinitions: (operation.variableDefinitions ?? []).filter(({ variable }) =>
        used.has(variable.name.value),
      ),
    }),
  });
}

/** Events of a source as results. `return` ends it at once, also while an event is awaited. */
function mapEvents(
  source: AsyncIterable<unknown>,
  resultOf: (event: unknown) => ExecutionResult | Promise<ExecutionResult>,
): AsyncIterableIterator<ExecutionResult> {
  const events = source[Symbol.asyncIterator]();
  const done = { value: undefined, done: true } as const;
  let isEnded = false;
  const end = async () => {
    isEnded = true;
    await events.return?.();
    return done;
  };
  return {
    async next() {
      const event = await events.next();
      if (event.done) return done;
      await turns.request();
      if (isEnded) return done;
      try {
        return { value: await resultOf(event.value), done: false };
      } catch (error) {
        await end();
        throw error;
      }
    },
    return: end,
    async throw(error) {
      await end();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Admits a few events in each turn of the event loop, in the order in which they arrived. */
class EventTurns {
  readonly #waiting: (() => void)[] = [];
  #admitted = 0;
  #isScheduled = false;

  constructor(private readonly perTurn: number) {}

  request(): Promise<void> | undefined {
    this.#schedule();
    if (this.#admitted < this.perTurn && this.#waiting.length === 0) {
      this.#admitted += 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Begins the count of the next turn. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const admitted = this.#waiting.splice(0, this.perTurn);
      this.#admitted = admitted.length;
      for (const resolve of admitted) resolve();
      if (admitted.length > 0) this.#schedule();
    });
  }
}

const turns = new EventTurns(eventsPerTurn);
