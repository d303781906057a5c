/**
 * The names that this network's topic and protocols have on the wire. The network id stands in every one of them, so
 * that nodes of two networks may share addresses and still never mix gossip, content or routing tables.
 */
import { OperatingError } from "../errors.ts";

const NETWORK_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]*(?:\/[A-Za-z0-9][A-Za-z0-9._:-]*)*$/;
const MAX_NETWORK_ID_LENGTH = 128;

export interface NetworkNames {
  /** The one gossip topic. */
  workTopic: string;
  directProtocol: string;
  contentProtocol: string;
  dhtProtocol: string;
}

/**
 * @param networkId chain id and contract account, as in `testnet/outlayer.testnet`
 * @throws OperatingError p2p_network_id_invalid
 */
export function networkNames(networkId: string): NetworkNames {
  if (networkId.length > MAX_NETWORK_ID_LENGTH || !NETWORK_ID.test(networkId)) {
    throw new OperatingError("p2p_network_id_invalid", { networkId: networkId.slice(0, MAX_NETWORK_ID_LENGTH) });
  }
  const prefix = `/outlayer/${networkId}`;
  return {
    workTopic: `${prefix}/work/1`,
    directProtocol: `${prefix}/direct/1`,
    contentProtocol: `${prefix}/content/1`,
    dhtProtocol: `${prefix}/kad/1.0.0`,
  };
}
