/** The whole page: what the node says of itself, of the network and of every request that it has seen. */
import { useEffect, useReducer } from "preact/hooks";
import { Masthead } from "./masthead.tsx";
import { connectToNode } from "./node-connection.ts";
import { Nodes } from "./nodes.tsx";
import { EMPTY_PAGE, reduce } from "./page-state.ts";
import { Receipts } from "./receipts.tsx";
import { Requests } from "./requests.tsx";
import { StepLog } from "./step-log.tsx";

export function Page() {
  const [state, tell] = useReducer(reduce, EMPTY_PAGE);
  useEffect(() => connectToNode(tell), []);
  const { status, connection } = state;
  useEffect(() => {
    if (status) document.title = `${status.info.account_id} · OutLayer node`;
  }, [status?.info.account_id]);
  return (
    <>
      <a class="skip" href="#requests">
        Skip to the requests
      </a>
      <Masthead status={status} connection={connection} />
      <div role="status">
        {connection === "lost" && (
          <p class="banner">
            <strong>The node does not answer.</strong>{" "}
            {status ? "What you see is the last it said. " : "Check that outlayer-node is still running. "}
            Reconnecting by itself.
          </p>
        )}
      </div>
      <main class={connection === "lost" ? "columns stale" : "columns"}>
        <div class="column">
          <Requests state={state} />
          <Receipts state={state} tell={tell} />
        </div>
        <div class="column">
          <Nodes status={status} />
          <StepLog log={state.log} />
        </div>
      </main>
    </>
  );
}
