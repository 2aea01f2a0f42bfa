package tokens

// Parse reads a file of tokens from memory.
func Parse(source []byte) (*TokenFile, error) { return parseTokens("tokens.toml", source) }

// Format returns the file as it is written.
func (f *TokenFile) Format() []byte { return f.format() }
