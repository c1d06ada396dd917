/**
 * The mutations that open a session, and are sent without the token of the page: one that has expired meanwhile would
 * refuse them. `proveEmail` is none of them: with a token it proves the address for the account of that token, without
 * one it may take the address away from that account.
 */
export const sessionFields = ['login', 'register', 'refreshSession', 'verifyOtp'];
