package sandboxtest

import "github.com/yanmail/yan/internal/sandbox"

// Message is a message that the server took responsibility for: its envelope,
// its bytes exactly as received, and methods that read them (Header, Text,
// HTML, Parts, Attachment).
type Message = sandbox.Message

// Part is one leaf of a message's MIME tree.
type Part = sandbox.Part
