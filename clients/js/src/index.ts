export * from "./engine.js";
export * from "./errors.js";
export * from "./events.js";
export * from "./feeds.js";
export * from "./generated/index.js";
export {
  type FeedAccounts,
  type FeedChoice,
  type LoadedMarket,
  loadMarket,
  loadReadings,
  loadSnapshot,
  type MarketAccounts,
  type Snapshot,
} from "./market.js";
export * from "./price.js";
export * from "./pyth/index.js";
