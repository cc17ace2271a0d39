export * from "./engine.js";
export * from "./errors.js";
export * from "./events.js";
export * from "./feeds.js";
export * from "./generated/index.js";
export * from "./market.js";
export * from "./price.js";
