/** The protocol's id: a new one only for what an older version could not understand. */
export const TRANSFER_PROTOCOL = '/spacedrive/transfer/1.0.0'
