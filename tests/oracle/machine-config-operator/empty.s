// Without an assembly file in the package, the compiler rejects functions without a body.
