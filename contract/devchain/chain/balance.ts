/** Balances are u128, as in nearcore. */
export const MAX_BALANCE_YOCTO = 2n ** 128n - 1n;
