/** What is used of it. */
declare module 'sodium-native' {
  const sodium: {
    /** Throws where the signature is not 64 bytes, or the key not 32. */
    crypto_sign_verify_detached(signature: Buffer, message: Buffer, publicKey: Buffer): boolean;
  };
  export default sodium;
}
