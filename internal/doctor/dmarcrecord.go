package doctor

import (
	"strconv"
	"strings"
)

// dmarcRecord is a DMARC record as receivers enforce it (RFC 7489 section 6.3).
type dmarcRecord struct {
	policy string // "none", "quarantine" or "reject"
	// subdomains is the policy for subdomains; "" if it is the same.
	subdomains string
	strictSPF  bool // alignment must be exact
	strictDKIM bool
	// odd lists the parts that receivers read differently: some ignore the
	// part, others the whole record.
	odd []string
}

// looksLikeDMARC reports whether a TXT record is meant as a DMARC record. RFC
// 7489 requires "v=DMARC1" in capitals; OpenDMARC and Mail::DMARC do not.
func looksLikeDMARC(text string) bool {
	name, rest, ok := strings.Cut(text, "=")
	rest = strings.TrimSpace(rest)
	const version = "DMARC1"
	return ok && strings.EqualFold(strings.TrimSpace(name), "v") && len(rest) >= len(version) && strings.EqualFold(rest[:len(version)], version)
}

// parseDMARC reads a record as common receivers do: they enforce the policy
// even if another part of the record is malformed. problem is empty unless
// receivers find no policy in it.
//
// Compared with OpenDMARC 1.4.2 and Mail::DMARC 1.20211209: see
// testdata/dmarc.tsv.
func parseDMARC(text string) (r dmarcRecord, problem Text) {
	if len(text) > maxRecord {
		return r, say("it is longer than %d octets", "超过 %d 字节", maxRecord)
	}
	seen := map[string]bool{}
	reports, policyNamed := false, false
	for i, field := range strings.Split(text, ";") {
		field = strings.TrimSpace(field)
		name, value, ok := strings.Cut(field, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case i == 0:
			if !strings.EqualFold(value, "DMARC1") {
				return r, say("a semicolon must follow v=DMARC1", "v=DMARC1 之后必须是分号")
			}
			if name != "v" || value != "DMARC1" || !strings.HasPrefix(field, "v") {
				r.odd = append(r.odd, field)
			}
			continue
		case field == "":
			continue
		case !ok || !r.set(name, value) || seen[name]: // the last of two counts
			r.odd = append(r.odd, field)
		}
		seen[name] = true
		reports = reports || name == "rua" && strings.Contains(value, ":")
		policyNamed = policyNamed || name == "p"
	}
	switch {
	case r.policy != "":
		return r, Text{}
	case reports: // RFC 7489 section 6.6.3: then p=none
		r.policy = "none"
		if !policyNamed {
			r.odd = append(r.odd, "p=")
		}
		return r, Text{}
	case policyNamed:
		return r, say("p= is not none, quarantine or reject", "p= 的值不是 none、quarantine 或 reject")
	}
	return r, say("it has no policy (p=)", "其中没有策略（p=）")
}

// set stores a tag. It returns false for a value that the tag does not allow;
// unknown tags are ignored (RFC 7489 section 6.3).
func (r *dmarcRecord) set(name, value string) bool {
	word := strings.ToLower(value)
	switch name {
	case "p", "sp":
		if word != "none" && word != "quarantine" && word != "reject" {
			return false
		}
		if name == "p" {
			r.policy = word
		} else {
			r.subdomains = word
		}
	case "adkim", "aspf":
		// OpenDMARC and Mail::DMARC read "strict" as "s".
		strict := strings.HasPrefix(word, "s")
		if name == "adkim" {
			r.strictDKIM = strict
		} else {
			r.strictSPF = strict
		}
		return word == "r" || word == "s"
	case "pct":
		n, err := strconv.Atoi(value)
		return err == nil && n >= 0 && n <= 100
	case "ri":
		_, err := strconv.ParseUint(value, 10, 32)
		return err == nil
	case "fo":
		for option := range strings.SplitSeq(word, ":") {
			if option = strings.TrimSpace(option); option != "0" && option != "1" && option != "d" && option != "s" {
				return false
			}
		}
	case "rua", "ruf":
		for uri := range strings.SplitSeq(value, ",") {
			if !strings.Contains(uri, ":") {
				return false
			}
		}
	}
	return true
}
