// Stands in for Node's crypto module, which no browser has: a page without WebCrypto does not seal.
export const webcrypto = undefined;
