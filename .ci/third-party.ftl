<#-- A module's THIRD-PARTY.md: what it brings with it at run time. dependencyMap: of Maven projects, the names of their licences. -->
# Third-party libraries

What comes with this module at run time, and under which licence. Where there are several, any one of them may be chosen.
This list is generated: CONTRIBUTING.md says how.

| library | version | licence |
| --- | --- | --- |
<#list dependencyMap as e>
<#assign p = e.getKey()/>
| `${p.groupId}:${p.artifactId}` | ${p.version} | <#list e.getValue() as licence>${licence}<#sep> or </#list> |
</#list>
