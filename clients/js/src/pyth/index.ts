export * from "./instructions.js";
export * from "./post.js";
export * from "./refresh.js";
export * from "./stack.js";
export * from "./update.js";
