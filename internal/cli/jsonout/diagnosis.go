package jsonout

// Explained is one failure of yan explain --json.
type Explained struct {
	Reply    string `json:"reply"` // or the recognized error
	Stage    string `json:"stage,omitempty"`
	Provider string `json:"provider,omitempty"`
	Guessed  bool   `json:"provider_guessed,omitempty"`
	Diagnosis
}

// Diagnosis is a finding; yan explain prints it too.
type Diagnosis struct {
	Class      string     `json:"class"`
	Scope      string     `json:"scope"`
	Permanence string     `json:"permanence"`
	Retry      string     `json:"retry"`
	RetryAfter int64      `json:"retry_after_seconds,omitempty"`
	Cause      Bilingual  `json:"cause"`
	Hint       *Bilingual `json:"hint,omitempty"`
	Advice     Bilingual  `json:"advice"`
	Where      *Bilingual `json:"where,omitempty"`
	HelpURLs   []string   `json:"help_urls,omitempty"`
	Basis      string     `json:"basis"`
}

// Bilingual is a sentence in both languages.
type Bilingual struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}
