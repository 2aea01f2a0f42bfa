package sandbox

// plainProfile is a server without quirks that offers every extension.
func plainProfile() profile {
	common := []string{"PIPELINING", "CHUNKING", "BINARYMIME", "8BITMIME", "SMTPUTF8", "SIZE 104857600", "DSN", "ENHANCEDSTATUSCODES"}
	before := append([]string{"{host} greets {name}", "STARTTLS"}, common...)
	after := append([]string{"{host} greets {name}",
		"AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN XOAUTH2 OAUTHBEARER EXTERNAL"}, common...)
	return profile{
		name: Plain, sender: AnySender, hosts: []string{"mail.example.org"}, domain: "example.org",
		before: before, after: after,
		size: 104857600, maxRecipients: 1000,
		words: words{
			greeting:    "220 {host} ESMTP sandbox",
			startTLS:    "220 2.0.0 Ready to start TLS",
			authOK:      "235 2.7.0 Authentication successful",
			authFailed:  "535 5.7.8 Authentication credentials invalid",
			tokenError:  `{"status":"401","schemes":"bearer","scope":"mail"}`,
			tokenFailed: "535 5.7.8 Authentication credentials invalid",
			refusals: map[Action]string{
				ServiceOff:  "535 5.7.4 SMTP is not enabled for this account",
				Blocked:     "525 5.7.13 User account disabled", // RFC 5248
				AppPassword: "534 5.7.9 Application-specific password required",
				WebLogin:    "534 5.7.14 Please log in via your web browser and then try again.",
				TooMany:     "454 4.7.0 Too many login attempts, please try again later.",
				BasicOff:    "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
				Policy:      "535 5.7.14 Trust relationship required", // RFC 5248
				IPDenied:    "525 5.7.1 Unauthorized IP address",
			},
			authBad:      "501 5.5.2 Cannot decode the response",
			authUnknown:  "504 5.5.4 Unrecognized authentication type",
			authCanceled: "501 5.7.0 Authentication canceled",
			authTwice:    "503 5.5.1 Already authenticated",
			userPrompt:   "Username:", passPrompt: "Password:",
			tlsRequired:  "530 5.7.0 Must issue a STARTTLS command first",
			authRequired: "530 5.7.0 Authentication required",
			mailOK:       "250 2.1.0 Sender ok", rcptOK: "250 2.1.5 Recipient ok",
			dataGo:  "354 End data with <CR><LF>.<CR><LF>",
			chunkOK: "250 2.0.0 {octets} octets received",
			queued:  "250 2.0.0 Ok: queued as {id}",
			reset:   "250 2.0.0 Reset", noop: "250 2.0.0 Ok", bye: "221 2.0.0 Bye",
			badSender:          "553 5.7.1 Sender address rejected: not owned by the login",
			badAddress:         "501 5.1.3 Bad address syntax",
			badFrom:            "550 5.6.0 From header is missing or invalid",
			badContent:         "550 5.6.11 Message refused",
			tooLarge:           "552 5.3.4 Message too large",
			tooMany:            "452 4.5.3 Too many recipients",
			badSequence:        "503 5.5.1 Bad sequence of commands",
			badSyntax:          "500 5.5.2 Syntax error",
			badParam:           "555 5.5.4 Parameter not recognized",
			unknown:            "502 5.5.1 Command not implemented",
			noRecipients:       "554 5.5.1 No valid recipients",
			busy:               "421 4.3.2 Closing the connection",
			perConnection:      "421 4.7.0 Too many messages in this connection",
			tooManyConnections: "421 4.7.0 Too many connections",
			tooFast:            "450 4.7.1 Too many messages, try again later",
		},
	}
}

// qqProfile is QQ Mail, personal accounts.
//
// QUIRK: QQ - no enhanced codes, no DSN, no CHUNKING; SMTPUTF8 only on 465;
// the keywords of 587 (about 2021) and 465 (2024-12) differ.
func qqProfile() profile {
	return profile{
		name: "qq", provider: "qq",
		before: []string{"newxmesmtplogicsvrszgpua5-0.qq.com", "PIPELINING", "SIZE {size}", "STARTTLS",
			"AUTH {mechanisms}", "AUTH=LOGIN", "MAILCOMPRESS", "8BITMIME"},
		after: []string{"newxmesmtplogicsvrszgpua5-0.qq.com", "PIPELINING", "SIZE {size}",
			"AUTH {mechanisms}", "AUTH=LOGIN", "MAILCOMPRESS", "SMTPUTF8", "8BITMIME"},
		maxRecipients: 500, needsAuth: true,
		// QUIRK: QQ - the same 501 for the envelope and for the From header.
		sender:       SenderAtHeader,
		checkMessage: checkQQ,
		words: words{
			greeting: "220 newxmesmtplogicsvrszgpua5-0.qq.com XMail Esmtp QQ Mail Server.",
			startTLS: "220 Ready to start TLS",
			authOK:   "235 Authentication successful",
			authFailed: "535 Login fail. Account is abnormal, service is not open, password is incorrect, " +
				"login frequency limited, or system is busy. More information at https://help.mail.qq.com/detail/108/1023",
			tokenFailed: "535 Login fail. Account is abnormal, service is not open, password is incorrect, " +
				"login frequency limited, or system is busy. More information at https://help.mail.qq.com/detail/108/1023",
			// QUIRK: QQ - all reasons other than a wrong kind of password share
			// one refusal.
			refusals: map[Action]string{
				AppPassword: "535 Login Fail. Please enter your authorization code to login. More information in " +
					"http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=28&&no=1001256",
			},
			authBad:      "501 Error: bad syntax",
			authUnknown:  "504 Unrecognized authentication type",
			authCanceled: "501 Authentication canceled",
			authTwice:    "503 Already authenticated",
			userPrompt:   "Username:", passPrompt: "Password:",
			tlsRequired:  "530 Must issue a STARTTLS command first.",
			authRequired: "503 Error: need EHLO and AUTH first !",
			mailOK:       "250 OK", rcptOK: "250 OK",
			dataGo:  "354 End data with <CR><LF>.<CR><LF>.",
			chunkOK: "502 Invalid input from {ip} to newxmesmtplogicsvrszgpua5-0.qq.com.",
			// QUIRK: QQ - the acknowledgement ends where its queue id should
			// follow.
			queued: "250 Ok: queued as ",
			reset:  "250 OK", noop: "250 OK", bye: "221 Bye.",
			badSender: "501 Mail from address must be same as authorization user.",
			// QUIRK: QQ - a non-ASCII or malformed address gets this text; no
			// source gave its code, 502 is an assumption.
			badAddress: "502 Invalid input from {ip} to newxmesmtplogicsvrszgpua5-0.qq.com.",
			badFrom: `550 The "From" header is missing or invalid. Please follow RFC5322, RFC2047, RFC822 standard protocol. ` +
				"https://service.mail.qq.com/detail/124/995.",
			badContent:         "550 Mail content denied. https://service.mail.qq.com/detail/122/171",
			tooLarge:           "552 Message too large. https://service.mail.qq.com/detail/122/168",
			tooMany:            "452 Too many recipients",
			badSequence:        "503 Bad sequence of commands",
			badSyntax:          "500 Error: bad syntax",
			badParam:           "501 Error: bad syntax",
			unknown:            "502 Invalid input from {ip} to newxmesmtplogicsvrszgpua5-0.qq.com.",
			noRecipients:       "503 Error: need RCPT command",
			busy:               "421 Service not available",
			perConnection:      "421 Service not available",
			tooManyConnections: "421 Service not available",
			tooFast:            "550 Sender frequency limited. https://service.mail.qq.com/detail/122/174",
		},
	}
}

// netEaseProfile is 163 Mail.
//
// QUIRK: NetEase - no SIZE, no SMTPUTF8, no enhanced codes; a line "coremail
// <token>" and the list of mechanisms twice; STARTTLS is offered inside TLS;
// AUTH is offered before TLS.
func netEaseProfile() profile {
	lines := []string{"mail", "PIPELINING", "AUTH {mechanisms}", "AUTH={mechanisms}",
		"coremail 1Uxr2xKj7kG0xkI17xGrU7I0s8FY2U3Uj8Cz28x1UUUUU7Ic2I0Y2UFzLzxUUUUUj", "STARTTLS", "8BITMIME"}
	return profile{
		name: "netease", provider: "netease163",
		before: lines, after: lines,
		maxRecipients: 500, needsAuth: true, cleartextAuth: true, sender: SenderAtMail,
		checkMessage: checkNetEase,
		words: words{
			greeting:    "220 163.com Anti-spam GT for Coremail System (163com[20141201])",
			startTLS:    "220 Ready to start TLS",
			authOK:      "235 Authentication successful",
			authFailed:  "535 Error: authentication failed",
			tokenFailed: "535 Error: authentication failed",
			refusals: map[Action]string{
				// QUIRK: NetEase - a 550 to AUTH.
				ServiceOff: "550 User has no permission",
				TooMany:    "451 Requested mail action not taken: too much fail authentication",
				IPDenied:   "554 IP is rejected, smtp auth error limit exceed",
			},
			authBad:      "500 Error: bad syntax",
			authUnknown:  "504 Unrecognized authentication type",
			authCanceled: "501 Authentication canceled",
			authTwice:    "503 Already authenticated",
			userPrompt:   "Username:", passPrompt: "Password:",
			tlsRequired:  "530 Must issue a STARTTLS command first.",
			authRequired: "553 authentication is required,smtp13,{id} {unix}",
			mailOK:       "250 Mail OK", rcptOK: "250 Mail OK",
			dataGo:  "354 End data with <CR><LF>.<CR><LF>",
			chunkOK: "502 Error: command not implemented",
			queued:  "250 Mail OK queued as zwqz-smtp-mta-g5-1,{id} {unix}",
			reset:   "250 OK", noop: "250 OK", bye: "221 Bye",
			badSender:  "553 Mail from must equal authorized user",
			badAddress: "500 Error: bad syntax",
			// QUIRK: NetEase - an envelope and a From header that differ are
			// treated as spam.
			badFrom: "554 DT:SUM 163 smtp10,{id} {unix},please see http://mail.163.com/help/help_spam_16.htm?ip={ip}&hostid=smtp10&time={unix}",
			badContent: "554 DT:SPM 163 smtp10,{id} {unix},please see http://mail.163.com/help/help_spam_16.htm" +
				"?ip={ip}&hostid=smtp10&time={unix}",
			tooLarge:           "552 Requested mail action aborted: exceeded mailsize limit",
			tooMany:            "550 Requested mail action not taken: too much recipient",
			badSequence:        "503 Error: bad sequence of commands",
			badSyntax:          "500 Error: bad syntax",
			badParam:           "500 Error: bad syntax",
			unknown:            "502 Error: command not implemented",
			noRecipients:       "554 No valid recipients",
			busy:               "421 closing transmission channel",
			perConnection:      "450 MI:DMC 163 smtp10,{id} {unix},please see http://mail.163.com/help/help_spam_16.htm?ip={ip}&hostid=smtp10&time={unix}",
			tooManyConnections: "421 HL:ICC 163 smtp10,{id} {unix},please see http://mail.163.com/help/help_spam_16.htm?ip={ip}&hostid=smtp10&time={unix}",
			tooFast:            "451 MI:SFQ 163 smtp10,{id} {unix},please see http://mail.163.com/help/help_spam_16.htm?ip={ip}&hostid=smtp10&time={unix}",
		},
	}
}

// gmailProfile is Gmail with an app password. The keyword lists are verbatim,
// most positive replies are approximate.
func gmailProfile() profile {
	return profile{
		name: "gmail", provider: "gmail",
		before: []string{"smtp.gmail.com at your service, [{ip}]", "SIZE {size}", "8BITMIME", "STARTTLS",
			"ENHANCEDSTATUSCODES", "PIPELINING", "CHUNKING", "SMTPUTF8"},
		after: []string{"smtp.gmail.com at your service, [{ip}]", "SIZE {size}", "8BITMIME",
			"AUTH {mechanisms}",
			"ENHANCEDSTATUSCODES", "PIPELINING", "CHUNKING", "SMTPUTF8"},
		maxRecipients: 100, needsAuth: true, sender: AnySender,
		words: words{
			greeting: "220 smtp.gmail.com ESMTP {id} - gsmtp",
			startTLS: "220 2.0.0 Ready to start TLS",
			authOK:   "235 2.7.0 Accepted",
			// QUIRK: Gmail - several lines, each with the enhanced code.
			authFailed: "535-5.7.8 Username and Password not accepted. For more information, go to\n" +
				"535 5.7.8  https://support.google.com/mail/?p=BadCredentials {id} - gsmtp",
			tokenError: `{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`,
			tokenFailed: "535-5.7.8 Username and Password not accepted. For more information, go to\n" +
				"535 5.7.8  https://support.google.com/mail/?p=BadCredentials {id} - gsmtp",
			refusals: map[Action]string{
				AppPassword: "534-5.7.9 Application-specific password required. For more information, go to\n" +
					"534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor {id} - gsmtp",
				WebLogin: "534-5.7.14 Please log in via your web browser and then try again. For more\n" +
					"534 5.7.14  information, go to https://support.google.com/mail/?p=WebLoginRequired {id} - gsmtp",
				TooMany: "454 4.7.0 Too many login attempts, please try again later. {id} - gsmtp",
			},
			authBad:      "501 5.5.2 Cannot Decode response {id} - gsmtp",
			authUnknown:  "504 5.7.4 Unrecognized Authentication Type {id} - gsmtp",
			authCanceled: "501 5.7.0 Authentication canceled {id} - gsmtp",
			authTwice:    "503 5.7.0 No identity changes permitted. {id} - gsmtp",
			userPrompt:   "Username:", passPrompt: "Password:",
			tlsRequired: "530-5.7.0 Must issue a STARTTLS command first. For more information, go to\n" +
				"530-5.7.0  https://support.google.com/a/answer/3221692 and review RFC 3207\n" +
				"530 5.7.0 specifications. {id} - gsmtp",
			authRequired: "530-5.7.0 Authentication Required. For more information, go to\n" +
				"530 5.7.0  https://support.google.com/mail/?p=WantAuthError {id} - gsmtp",
			mailOK: "250 2.1.0 OK {id} - gsmtp", rcptOK: "250 2.1.5 OK {id} - gsmtp",
			dataGo:  "354 Go ahead {id} - gsmtp",
			chunkOK: "250 2.0.0 OK {id} - gsmtp",
			queued:  "250 2.0.0 OK  {unix} {id} - gsmtp",
			reset:   "250 2.1.5 Flushed {id} - gsmtp", noop: "250 2.0.0 OK {id} - gsmtp",
			bye:                "221 2.0.0 closing connection {id} - gsmtp",
			badSender:          "553 5.7.1 Sender rejected {id} - gsmtp",
			badAddress:         "553 5.1.7 The address is not a valid RFC 5321 address. {id} - gsmtp",
			badFrom:            "550 5.7.1 Messages missing a valid address in the From: header are not accepted. {id} - gsmtp",
			badContent:         "554 5.6.0 Mail message is malformed. Not accepted. {id} - gsmtp",
			tooLarge:           "552 5.3.4 Your message exceeded Google's message size limits. {id} - gsmtp",
			tooMany:            "452 4.5.3 Your message has too many recipients. {id} - gsmtp",
			badSequence:        "503 5.5.1 Bad sequence of commands. {id} - gsmtp",
			badSyntax:          "555 5.5.2 Syntax error, cannot decode response. {id} - gsmtp",
			badParam:           "555 5.5.4 Unsupported parameter. {id} - gsmtp",
			unknown:            "502 5.5.1 Unrecognized command. {id} - gsmtp",
			noRecipients:       "503 5.5.1 RCPT first. {id} - gsmtp",
			busy:               "421 4.7.0 Try again later, closing connection. {id} - gsmtp",
			perConnection:      "421 4.7.0 Connection expired, try reconnecting. {id} - gsmtp",
			tooManyConnections: "421 4.7.0 Try again later, closing connection. {id} - gsmtp",
			tooFast:            "450 4.2.1 Peak SMTP relay limit exceeded for customer. {id} - gsmtp",
		},
	}
}

// microsoftProfile is Exchange Online. The keyword lists are verbatim, most
// positive replies are approximate.
func microsoftProfile() profile {
	return profile{
		name: "microsoft365", provider: "office365", tenant: "contoso",
		before: []string{"AS4P190CA0001.outlook.office365.com Hello [{ip}]", "SIZE {size}", "PIPELINING", "DSN",
			"ENHANCEDSTATUSCODES", "STARTTLS", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"},
		// QUIRK: Microsoft 365 - no PLAIN.
		after: []string{"AS4P190CA0001.outlook.office365.com Hello [{ip}]", "SIZE {size}", "PIPELINING", "DSN",
			"ENHANCEDSTATUSCODES", "AUTH {mechanisms}", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"},
		needsAuth: true,
		// QUIRK: Microsoft 365 - a foreign sender is refused at the end of the
		// data.
		sender: SenderAtBody,
		// QUIRK: Microsoft 365 - AUTH only after STARTTLS, and not after HELO.
		authAfterEHLO: true,
		words: words{
			greeting:   "220 AS4P190CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready at {date}",
			startTLS:   "220 2.0.0 SMTP server ready",
			authOK:     "235 2.7.0 Authentication successful",
			authFailed: "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect. [AS4P190CA0001.EURP190.PROD.OUTLOOK.COM {date} {id}]",
			// QUIRK: Microsoft 365 - an invalid token gets no 334 with an
			// error, only this.
			tokenFailed: "535 5.7.3 Authentication unsuccessful [AS4P190CA0001.EURP190.PROD.OUTLOOK.COM {date} {id}]",
			refusals: map[Action]string{
				BasicOff: "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [AS4P190CA0001.EURP190.PROD.OUTLOOK.COM {date} {id}]",
				ServiceOff: "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. " +
					"Visit https://aka.ms/smtp_auth_disabled for more information. [AS4P190CA0001.EURP190.PROD.OUTLOOK.COM {date} {id}]",
				Policy: "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. " +
					"Contact your administrator. [AS4P190CA0001.EURP190.PROD.OUTLOOK.COM {date} {id}]",
				TooMany: "535 5.7.139 Authentication unsuccessful, account locked. [AS4P190CA0001.EURP190.PROD.OUTLOOK.COM {date} {id}]",
				IPDenied: "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. " +
					"Contact your administrator. [AS4P190CA0001.EURP190.PROD.OUTLOOK.COM {date} {id}]",
			},
			authBad:      "501 5.5.4 Invalid arguments",
			authUnknown:  "504 5.7.4 Unrecognized authentication type",
			authCanceled: "501 5.7.0 Authentication canceled",
			authTwice:    "503 5.5.2 Already authenticated",
			userPrompt:   "Username:", passPrompt: "Password:",
			tlsRequired:  "530 5.7.57 Client not authenticated to send mail. [AS4P190CA0001.EURP190.PROD.OUTLOOK.COM {date} {id}]",
			authRequired: "530 5.7.57 Client not authenticated to send mail. [AS4P190CA0001.EURP190.PROD.OUTLOOK.COM {date} {id}]",
			mailOK:       "250 2.1.0 Sender OK", rcptOK: "250 2.1.5 Recipient OK",
			dataGo:  "354 Start mail input; end with <CRLF>.<CRLF>",
			chunkOK: "250 2.6.0 CHUNK received OK, {octets} octets",
			queued:  "250 2.0.0 OK <{id}@AS4P190MB0001.EURP190.PROD.OUTLOOK.COM> [Hostname=AS4P190MB0001.EURP190.PROD.OUTLOOK.COM]",
			reset:   "250 2.0.0 Resetting", noop: "250 2.0.0 OK", bye: "221 2.0.0 Service closing transmission channel",
			badSender:          "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
			badAddress:         "501 5.1.3 Invalid address",
			badFrom:            "550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant",
			badContent:         "550 5.6.11 Invalid characters",
			tooLarge:           "552 5.3.4 Message size exceeds fixed maximum message size",
			tooMany:            "452 4.5.3 Too many recipients",
			badSequence:        "503 5.5.1 Bad sequence of commands",
			badSyntax:          "500 5.3.3 Unrecognized command",
			badParam:           "501 5.5.4 Invalid arguments",
			unknown:            "500 5.3.3 Unrecognized command",
			noRecipients:       "503 5.5.2 Need rcpt command",
			busy:               "421 4.3.2 Service not available",
			perConnection:      "421 4.3.2 Service not available",
			tooManyConnections: "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
			tooFast:            "451 4.7.500 Access denied, please try again later",
		},
	}
}

// passwordsOffProfile is Microsoft 365 after the end of December 2026, when passwords
// are switched off by default.
//
// QUIRK: Microsoft 365 - LOGIN is still offered, and every password is refused.
func passwordsOffProfile() profile {
	p := microsoftProfile()
	p.name = "microsoft365-off"
	p.passwordsOff = p.words.refusals[BasicOff]
	return p
}

// passwordsGoneProfile is Microsoft 365 after the final removal of passwords, with the
// reply that Microsoft has announced for it.
func passwordsGoneProfile() profile {
	p := microsoftProfile()
	p.name = "microsoft365-gone"
	p.passwordsOff = "550 5.7.30 Basic authentication is not supported for Client Submission. [AS4P190CA0001.EURP190.PROD.OUTLOOK.COM {date} {id}]"
	p.words.refusals[BasicOff] = p.passwordsOff
	return p
}
