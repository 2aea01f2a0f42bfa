// Package intake opens the ways in of 'yan serve', through which programs hand over messages: the
// submission socket and the drop folder for the users of this machine, with a socket where they ask
// about their messages, and the SMTP listener. All of them use package admission with the policy of
// the configuration.
//
// A reload changes policy, tokens and certificates. The places and limits of the ways in stay until
// the next start.
package intake
